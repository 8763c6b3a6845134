"""Jobs in allocations of a Slurm cluster. Nothing is pickled: a job is a command line and a file of run ids.

    scheduler     sbatch, squeue, scancel, scontrol, sacct
    batch         which runs are in which task of an array, and the script
    launcher      hands runs over, and looks after those that Slurm has: the dispatcher's part
    task          what a task of the array runs on its node: a supervisor for each of its runs
    supervisor    the supervisor of a run in an allocation, which may end before the run does

docs/slurm.md says how they work together.
"""

from fop_core.jobs.launchers.slurm.launcher import SlurmLauncher as SlurmLauncher
