"""A Dask scheduler here, its workers as HTCondor jobs; prints the address for --scheduler."""

import sys
import time

from dask_jobqueue import HTCondorCluster

if __name__ == "__main__":
    n_jobs = int(sys.argv[1])
    cluster = HTCondorCluster(
        cores=1,
        processes=1,
        memory="2GB",
        disk="1GB",
        python=sys.executable,  # the environment that has l1met_fpga, on a shared file system
        job_extra_directives={"+JobFlavour": '"longlunch"'},  # CERN: at most 2 hours
        log_directory="condor-logs",
    )
    cluster.scale(jobs=n_jobs)
    print(cluster.scheduler_address, flush=True)
    try:
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        cluster.close()
