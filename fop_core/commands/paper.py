"""``paper``: what became of the paper's figures and theorems, and their reruns."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fop_core.reproduction.lacking import Question
    from fop_core.reproduction.plans import Plan
    from fop_core.reproduction.verdicts import Card

OUTCOME = {True: "comes out", False: "does not come out", None: "not run"}


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "paper",
        help="the paper's figures and theorems: verdicts, numbers, reruns",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""examples:
  paper                                  every claim with its verdict, and every study with what it takes
  paper --figure 2                       a claim's parts: published, measured, control, differences
  paper --figure 2 --rerun --quick       submit its studies, of a few minutes; without --quick the whole ones
  paper --figure 2 --runs FOLDER         the same claim, by your own runs of its studies
  paper --figure 2 --unpack              the runs that ship, as runs of the runs folder""",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--figure", metavar="NAME", help="1, 2, 3-cifar10, ..., A.1, theorem-2: see `paper`")
    which.add_argument("--study", metavar="NAME", help="one study, as paper-rho: see `paper`")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rerun", action="store_true", help="submit the studies, and return")
    what.add_argument("--runs", type=Path, metavar="FOLDER", help="compute it from these runs, not from what ships")
    what.add_argument("--pack", type=Path, metavar="FOLDER", help="pack the studies' runs that are in this folder")
    what.add_argument("--unpack", action="store_true", help="write the runs that ship into the runs folder")
    parser.add_argument("--quick", action="store_true", help="with --rerun or --runs: the studies of a few minutes")
    parser.add_argument("--out", type=Path, help="with --pack: where to (trained_models/paper)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(do=_paper)


def _paper(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.reproduction.cards import CARDS
    from fop_core.reproduction.plans import PLANS

    if chosen.figure is not None and chosen.figure not in CARDS:
        raise ValueError(f"no figure {chosen.figure!r}: there are {', '.join(CARDS)}")
    if chosen.study is not None and chosen.study not in PLANS:
        raise ValueError(f"no study {chosen.study!r}: there are {', '.join(PLANS)}")
    if chosen.quick and not (chosen.rerun or chosen.runs):
        raise ValueError("--quick goes with --rerun or --runs")
    if chosen.out is not None and chosen.pack is None:
        raise ValueError("--out goes with --pack")
    if chosen.rerun or chosen.pack or chosen.unpack:
        plans = _plans(chosen)
        return (_rerun if chosen.rerun else _pack if chosen.pack else _unpack)(chosen, plans)
    return _show(chosen)


def _plans(chosen: argparse.Namespace) -> "list[Plan]":
    """Return the plans that arguments name.

    Raises:
        ValueError: where they name none.
    """
    from fop_core.reproduction.cards import card
    from fop_core.reproduction.plans import PLANS

    if chosen.study is not None:
        return [PLANS[chosen.study]]
    if chosen.figure is None:
        raise ValueError("name what: --figure 2, or --study paper-2-best")
    of = card(chosen.figure)
    if not of.plans:
        raise ValueError(f"{of.title} has no study: it is computed when it is shown")
    return [PLANS[name] for name in of.plans]


def _rerun(chosen: argparse.Namespace, plans: "Sequence[Plan]") -> int:
    from fop_core.reproduction import forks, rerun
    from fop_core.studies import submit

    waiting: dict[str, str] = {}
    for plan in plans:  # all are checked before one is written
        try:
            rerun.check(plan, chosen.quick)
        except forks.WaitsError as error:
            if len(plans) == 1:
                raise
            waiting[plan.name] = str(error)
    troubles, submitted = 0, []
    for plan in plans:
        if plan.name in waiting:
            print(f"{plan.name} waits: {waiting[plan.name]}")
            continue
        if forks.is_of_controls(plan.name):
            controls = forks.submit(plan, chosen.quick)
            troubles += len(controls.troubles)
            print(
                f"{plan.name}: {len(controls.made)} controls made, {len(controls.there)} there; `queue list` shows them"
            )
            continue
        done = rerun.rerun(plan, chosen.quick)
        submitted.append(done.stored.study.name)
        troubles += len(done.troubles)
        print(f"{submitted[-1]}: {'; '.join(submit.words(done))}")
        if not chosen.quick:
            print(f"  {_cost(plan)}")
    quick = " --quick" if chosen.quick else ""
    if submitted:
        print(f"`study status {submitted[0]}` shows how it goes, and so does the page Studies")
    if chosen.figure is not None:
        print(f"`paper --figure {chosen.figure} --runs RUNS_FOLDER{quick}` computes the verdict from these runs")
    return 1 if troubles else 0


def _cost(plan: "Plan") -> str:
    of = "a GPU" if plan.gpu else "one core"
    hours = f"{plan.hours:,.1f}" if plan.hours < 10 else f"{plan.hours:,.0f}"
    return f"{plan.runs} runs, about {hours} hours of {of} ({plan.measured_on})"


def _pack(chosen: argparse.Namespace, plans: "Sequence[Plan]") -> int:
    from fop_core.reproduction import forks, shipped

    if not chosen.pack.is_dir():
        raise ValueError(f"{chosen.pack} is no folder: give one with runs")
    out = chosen.out or shipped.FOLDER
    packed = []
    for plan in plans:
        there = forks.existing(plan.study, chosen.pack) if forks.is_of_controls(plan.name) else None
        packed.append((plan, shipped.collect(plan.study, chosen.pack, there)))
    for plan, of in packed:
        _left_out(of.left_out)
        if not of.runs:
            print(f"{plan.name}: none of its {plan.runs} runs is over in {chosen.pack}", file=sys.stderr)
            continue
        size = shipped.write(of, out / plan.name)
        print(f"{out / plan.name}: {len(of.runs)} of {plan.runs} runs, {size:,} bytes")
    return 0 if any(of.runs for _, of in packed) else 1


def _unpack(chosen: argparse.Namespace, plans: "Sequence[Plan]") -> int:
    from fop_core.reproduction import shipped
    from fop_core.runs import store

    there = shipped.names()
    names = [plan.name for plan in plans if plan.name in there]
    if not names:
        raise ValueError(f"no runs of {', '.join(plan.name for plan in plans)} ship: --rerun trains them")
    for packed in [shipped.load(name) for name in names]:
        made = shipped.unpack(packed)
        print(f"{packed.study.name}: {len(made)} of {len(packed.runs)} runs written to {store.runs_folder()}")
    return 0


def _show(chosen: argparse.Namespace) -> int:
    from fop_core.reproduction.cards import card, cards
    from fop_core.reproduction.evidence import Evidence
    from fop_core.reproduction.lacking import questions
    from fop_core.reproduction.plans import PLANS

    evidence = None
    if chosen.runs is not None:
        if not chosen.runs.is_dir():
            raise ValueError(f"{chosen.runs} is no folder: give one with runs")
        evidence = Evidence(runs=chosen.runs, quick=chosen.quick)
    plans = [PLANS[chosen.study]] if chosen.study is not None else []
    shown: Sequence[Card] = ()
    open_questions: Sequence[Question] = ()
    if chosen.figure is None:
        open_questions = [each for each in questions(evidence) if chosen.study in (None, *each.plans)]
    if chosen.study is None:
        shown = cards(evidence) if chosen.figure is None else (card(chosen.figure, evidence),)
        plans = list(PLANS.values()) if chosen.figure is None else [PLANS[name] for name in shown[0].plans]
    _left_out({} if evidence is None else evidence.left_out)
    if chosen.json:
        content = {
            "cards": list(map(_card_json, shown)),
            "questions": list(map(_question_json, open_questions)),
            "studies": [_plan_json(plan, chosen.quick) for plan in plans],
        }
        print(json.dumps(content, indent=1, ensure_ascii=False))
        return 0
    if chosen.figure is not None:
        for line in _whole(shown[0], plans):
            print(line)
        return 0
    if chosen.study is not None and open_questions:
        for line in _answered(open_questions[0]):
            print(line)
    for each in shown:
        print(f"{each.name:<11} {_verdict(each):<30} {each.claim}")
    if shown:
        print("\nwhat the paper lacks:")
        for question in open_questions:
            print(f"{question.name:<11} {question.outcome:<30} {question.claim}")
        print()
    for plan in plans:
        print(f"{plan.name:<16} {plan.about}\n{'':<16} {_cost(plan)}")
    return 0


def _left_out(runs: "Mapping[str, str]") -> None:
    for id_, why in runs.items():
        print(f"{id_} is left out: {why}", file=sys.stderr)


def _verdict(card: "Card") -> str:
    from fop_core.reproduction.planned import gpu_hours

    return f"{card.verdict}: {gpu_hours(card)}" if card.gpu_hours is not None else card.verdict


def _whole(card: "Card", plans: "Sequence[Plan]") -> Iterable[str]:
    """Yield a card in lines."""
    yield f"{card.title}: {_verdict(card)}"
    yield f"  {card.claim}"
    for part in card.parts:
        yield f"\n  {part.says} {OUTCOME[part.holds].capitalize()}."
        if part.published:
            yield f"    published: {part.published}"
        if part.measured:
            yield f"    measured:  {part.measured}"
    for control in card.controls:
        yield f"\n  control: {control.what}"
        yield f"    {control.shows or 'not run'}"
    if card.differences:
        yield "\n  what differs from the paper:"
        yield from (f"    {each}" for each in card.differences)
    for plan in plans:
        yield f"\n  study {plan.name}: {plan.about}"
        yield f"    {_cost(plan)}"
    if plans:
        yield f"\n  {card.command} --rerun [--quick]"


def _answered(question: "Question") -> Iterable[str]:
    """Yield what is known of a question that the paper leaves open, in lines."""
    from fop_core.reproduction.lacking import HEAD

    yield f"{question.title}: {question.outcome}"
    for part in question.parts:
        yield f"  {part.says} {OUTCOME[part.holds].capitalize()}."
        if part.measured:
            yield f"    {part.measured}"
    if question.rows:
        widths = [max(map(len, column)) for column in zip(HEAD, *question.rows)]
        for row in (HEAD, *question.rows):
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
    yield ""


def _question_json(question: "Question") -> dict[str, Any]:
    from fop_core.reproduction.lacking import HEAD

    rows = [dict(zip(HEAD, row)) for row in question.rows]
    about = dataclasses.asdict(question)
    return {"outcome": question.outcome, "command": question.command, **about, "rows": rows}


def _card_json(card: "Card") -> dict[str, Any]:
    return {"verdict": card.verdict, "command": card.command} | dataclasses.asdict(card)


def _plan_json(plan: "Plan", quick: bool) -> dict[str, Any]:
    return {
        "name": plan.name,
        "about": plan.about,
        "runs": plan.runs,
        "hours": plan.hours,
        "of": "gpu" if plan.gpu else "core",
        "measured_on": plan.measured_on,
        "study": (plan.quick if quick else plan.study).to_json(),
    }
