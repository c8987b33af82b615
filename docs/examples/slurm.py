"""A Dask scheduler here, its workers as SLURM jobs; prints the address for --scheduler."""

import sys
import time

from dask_jobqueue import SLURMCluster

if __name__ == "__main__":
    n_jobs = int(sys.argv[1])
    cluster = SLURMCluster(
        queue="standard",
        cores=1,
        processes=1,
        memory="2GB",
        walltime="02:00:00",
        python=sys.executable,  # the environment that has l1met_fpga, on a shared file system
        log_directory="slurm-logs",
    )
    cluster.scale(jobs=n_jobs)
    print(cluster.scheduler_address, flush=True)
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        cluster.close()
