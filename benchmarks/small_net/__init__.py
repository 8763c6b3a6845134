"""A small net on CIFAR-10 by SGD, its rivals and FOP's rules: each tuned on held-out images, then on fresh seeds.

    python -m benchmarks.small_net tune --runs DIR [--only sgd exponential]
    python -m benchmarks.small_net confirm --runs DIR [--only sgd exponential]
    python -m benchmarks.small_net report --runs DIR

All-CNN at an eighth of the width on 20,000 images, flips, batch 128, 10 epochs, a tenth of the rate after 6, one
thread; momentum and weight decay are the preset's for SGD, and for another optimizer what ``config.base`` has.

``tune``: seed 0, a fifth of the 20,000 images held out, what counts is the accuracy on them at the end. Five rates a
factor of the root of 10 apart around the method's default, and further ones, up to nine in all, while the best is an
end; then rho likewise, at the best rate. ``confirm`` (which tunes first what is not yet): seeds 1, 2 and 3 on all
20,000 images, measured on the test set. ``report``: the table, also as small_net.json and small_net.md beside the runs.

Each run is an ordinary one in DIR, trained by a process of its own. One that is there with the same settings and has
ended is not trained again, and one that was stopped goes on: so a phase can be stopped and started at any time, and
two can work side by side on methods of their own.
"""
