"""Jobs: a queue of runs, the dispatcher that starts them, and the supervisor that watches each.

    queue         what pages and the command line use: submit, stop, what waits and for what
    slots         what jobs run in: each GPU is one, the CPU a chosen number
    launchers     how jobs are started: in slots, or by Slurm
    elected       a process of which each runs folder has one at most: the dispatcher, the watcher of studies
    dispatcher    starts waiting runs in order as slots become free; one for each user, host and runs folder
    cores         the cores of the machine among its slots
    fork_server   a process that has torch loaded: describes configs, and forks supervisors, which fork trainers
    supervisor    starts one trainer, stops it, and says how it ended
    trainer       how that is started, and what it does
    cloud         a run as a task of SkyPilot or a Job of Kubernetes

None of them imports torch when it loads. docs/operations.md says how they work together.
"""
