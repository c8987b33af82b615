# l1met_fpga with everything that needs no licence: docker build -t l1met . && docker run --rm -it l1met
FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential git chromium iverilog \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/l1met_fpga
COPY . .
RUN make env PYTHON=python3.11
ENV PATH=/opt/l1met_fpga/.venv/bin:$PATH
CMD ["bash", "-c", "l1met doctor; exec bash"]
