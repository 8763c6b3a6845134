"""Queries over runs: what they mean, what they refuse and where, and what must hold of any."""

import math
import operator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fop_core.runs import fields, query
from fop_core.runs.fields import Known, UnknownField
from fop_core.runs.listing import Entry, Listing
from fop_core.runs.measured import ColumnSummary
from fop_core.runs.query import QueryError, Term, Value
from fop_core.runs.run import Run
from fop_core.training import config
from tests.runs.tiny import made, rows

SETTINGS = ("optimizer.lr", "optimizer.name", "optimizer.betas", "fop.rank", "fop.normalized", "seed", "fop.trace")
COLUMNS = ("train_loss", "test_accuracy", "lr", "angle_deg/0.weight input")
KNOWN = Known(dict.fromkeys(SETTINGS), dict.fromkeys(COLUMNS))


def entry(name: str = "one", measured: dict | None = None, **more) -> Entry:
    made = Entry(Run(f"/nowhere/{name}"), name=name, state="finished", version=1, _complete=1, **more)
    made.measured = None if measured is None else {key: ColumnSummary(*each) for key, each in measured.items()}
    return made


FOP = entry(
    "booth FOP",
    {"train_loss": (math.nan, 0.1, 2.0), "test_accuracy": (0.6, 0.5, 0.7), "angle_deg/0.weight input": (3.0, 1, 9)},
    method="fop",
    tags=["Baseline", "two words"],
    created="2026-11-24T10:00:00+00:00",
    best=0.7,
    settings={
        "optimizer.lr": 0.05,
        "optimizer.name": "sgd",
        "optimizer.betas": [0.9, 0.999],
        "fop.rank": 16,
        "fop.normalized": True,
        "seed": 0,
        "fop.trace": None,
    },
)
PLAIN = entry("plain, momentum", {}, method="momentum", settings={"optimizer.lr": 0.005, "seed": 1})
RUNS = {"FOP": FOP, "plain": PLAIN}


def matching(text: str) -> set[str]:
    wanted = query.parse(text, KNOWN)
    return {name for name, run in RUNS.items() if wanted.matches(run)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"FOP", "plain"}),
        ("lr>0.01", {"FOP"}),
        ("lr > 0.01 method=fop", {"FOP"}),
        ("optimizer.lr<=5e-3", {"plain"}),
        ("set.optimizer.lr=0.05", {"FOP"}),
        ("tag:baseline", {"FOP"}),
        ("tag:base", set()),
        ("tag~base", {"FOP"}),
        ('tag="two words"', {"FOP"}),
        ("tag=none", {"plain"}),
        ("state=failed", set()),
        ("state=failed,finished", {"FOP", "plain"}),
        ("seed=1,2", {"plain"}),
        ("seed!=1,2", {"FOP"}),
        ("rank!=16", {"plain"}),
        ("rank=none", {"plain"}),
        ("fop.trace=none", {"FOP", "plain"}),
        ("rank>0", {"FOP"}),
        ("betas=0.999", {"FOP"}),
        ("normalized=yes", {"FOP"}),
        ("normalized=true", {"FOP"}),
        ("normalized=no", set()),
        ("test_accuracy>=0.6", {"FOP"}),
        ("test_accuracy>60%", set()),
        ("best.test_accuracy>60%", {"FOP"}),
        ("best.train_loss<=0.1", {"FOP"}),
        ("last.train_loss=nan", {"FOP"}),
        ("train_loss<100", set()),
        ("last.lr>0", set()),
        ('"angle_deg/0.weight input">2', {"FOP"}),
        ("best>0.6", {"FOP"}),
        ("name~booth", {"FOP"}),
        ("name!~booth", {"plain"}),
        ('name="plain, momentum"', {"plain"}),
        ("name='plain, momentum'", {"plain"}),
        ("NAME~BOOTH", {"FOP"}),
        ("booth", {"FOP"}),
        ("momentum plain", {"plain"}),
        ('"booth FOP"', {"FOP"}),
        ('"fop booth"', set()),
        ("created>=2026-11-24", {"FOP"}),
        ("created<2026-11-24", set()),
        ("archived=no", {"FOP", "plain"}),
    ],
)
def test_a_query_holds_of_the_runs_that_it_means(text, expected):
    assert matching(text) == expected


@pytest.mark.parametrize(
    ("text", "start", "end", "says"),
    [
        ("learning=3", 0, 8, "no field 'learning'"),
        ("seed=1 optimiser.lr>0.1", 7, 19, "did you mean optimizer.lr"),
        ("last.test_acuracy>0.1", 0, 17, "did you mean last.test_accuracy?"),
        ("best.lr>0.1", 0, 7, "no best value"),
        ("name=x lr>fast", 10, 14, "> compares numbers, and 'fast' is none"),
        ("lr>0.1,0.2", 3, 6, "> takes one value, not 2"),
        ("lr>", 3, 4, "a value is missing after >"),
        ("lr=1, seed=2", 5, 6, "a value is missing after ,"),
        ("=3", 0, 1, "a field is missing before ="),
        ('name="booth', 5, 11, 'the quote " has no end'),
        ("'", 0, 1, "the quote ' has no end"),
        ('name="a"b', 8, 9, "a blank is missing after the quote"),
        ("state=finshed", 6, 13, "did you mean finished?"),
        ("state=gone,zzz", 6, 10, "one of queued"),
    ],
)
def test_a_mistake_is_named_at_its_place(text, start, end, says):
    with pytest.raises(QueryError) as error:
        query.parse(text, KNOWN)
    assert says in str(error.value) and f"(at character {start + 1})" in str(error.value)
    assert error.value.pointed == f"{text}\n{' ' * start}{'^' * (end - start)}"


RECORDED = {"lr": 0.05, "batch": 32}
TRAINED = {"optimizer.lr": 0.5, "fop.rank": 16}
OWN = {"optimizer.settings.lr": 0.005, "optimizer.plugin.file": "heavy.py"}
NESTED = {"train.lr": 0.02}


def test_a_short_name_means_each_runs_setting_of_that_name_wherever_that_run_has_it():
    several = {
        name: entry(name, {}, settings=settings)
        for name, settings in (("recorded", RECORDED), ("trained", TRAINED), ("own", OWN), ("nested", NESTED))
    }
    known = fields.known(several.values(), config.described())

    def matching(text: str) -> set[str]:
        return {name for name, run in several.items() if query.parse(text, known).matches(run)}

    assert matching("lr>0.001") == set(several)
    assert matching("lr>0.01") == {"recorded", "trained", "nested"}
    assert matching("lr=0.5") == {"trained"} and matching("lr=0.005") == {"own"} and matching("lr!=0.05 lr>0.03")
    assert matching("optimizer.lr>0.001") == {"trained"}, "a path means that place alone"
    assert matching("rank=16") == {"trained"} and matching("rank=none") == {"recorded", "own", "nested"}


def test_of_one_run_a_short_name_is_its_own_top_level_then_the_optimizers():
    both = entry("both", {}, settings={"train.lr": 1.0, "optimizer.lr": 2.0, "optimizer.settings.lr": 3.0, "lr": 4.0})
    for left in (4.0, 2.0, 3.0, 1.0):
        name = fields.known([both], ["data.lr"]).resolve("lr")
        assert fields.value(both, name) == left
        del both.settings[fields.setting(both.settings, name)]


def test_a_short_name_of_two_settings_of_one_run_must_be_written_whole():
    one, other = entry("one", settings={"a.eps": 1, "b.eps": 2}), entry("other", settings={"c.eps": 3})
    with pytest.raises(UnknownField, match=r"eps can be a\.eps or b\.eps: write it whole"):
        fields.known([one, other]).resolve("eps")
    assert fields.known([one, other]).resolve("b.eps") == "set.b.eps"
    assert fields.known([other]).resolve("eps") == "set.c.eps"
    assert fields.known([other], ["a.eps"]).resolve("eps") == "set.*.eps"


def test_a_field_of_every_run_comes_before_a_setting_and_that_before_a_column():
    known = Known(dict.fromkeys(["device", "optimizer.lr"]), dict.fromkeys(["lr", "d"]))
    names = ("device", "set.device", "lr", "last.lr", "d", "LR", "Set.device")
    assert [known.resolve(name) for name in names[:6]] == [
        "device",
        "set.device",
        "set.optimizer.lr",
        "last.lr",
        "last.d",
        "set.optimizer.lr",
    ]
    assert known.resolve("Set.device") == "set.device"


def test_all_settings_of_today_can_be_named_and_each_is_itself():
    known = fields.known([], config.described())
    for path in config.described():
        assert known.resolve(f"set.{path}") == f"set.{path}"
        if path not in fields.OWN:
            assert known.resolve(path) == f"set.{path}"


def test_what_has_not_been_read_yet_matches_neither_a_term_nor_its_contrary():
    unread = entry("unread")
    unread._complete = -1
    for text in ("train_loss>0", "train_loss=1", "train_loss!=1", "best>0", "device!=x", "device!~x"):
        assert not query.parse(text, KNOWN).matches(unread), text
    assert query.parse("train_loss>0", KNOWN).measured and not query.parse("lr>0 best>0", KNOWN).measured


def test_too_long_a_query_is_refused():
    with pytest.raises(QueryError, match="at most 1,000 characters, not 1,001"):
        query.parse("x" * 1001, KNOWN)


# what must hold of any query ------------------------------------------------------------------------------------------

LETTERS = "aBé𝛼 \t\n\u00a0\"'\\,=<>~:!%0.9-#/\x1b"  # few, but each kind that could matter
TEXTS = st.text(LETTERS, max_size=12)
PLAIN_FIELDS = st.sampled_from(["name", "tag", "notes", "method", "set.fop.rank", "set.optimizer.lr", "seed", "best"])
VALUES = st.one_of(TEXTS, st.floats(allow_nan=False).map(repr), st.sampled_from(["none", "yes", "16", "0.05"]))


@st.composite
def terms(draw: st.DrawFn) -> tuple[str, Term]:
    """A term as somebody may write it, and what it is: values quoted this way or that, blanks around operators."""
    field = draw(PLAIN_FIELDS)
    sign = draw(st.sampled_from(["=", "!=", "~", "!~", "<", "<=", ">", ">=", ":", "=="]))
    ordered = sign[0] in "<>"
    numbers = st.floats(allow_nan=False).map(repr)
    values = draw(st.lists(numbers if ordered else VALUES, min_size=1, max_size=1 if ordered else 3))

    def spelled(text: str) -> str:
        mark = draw(st.sampled_from("\"'"))
        bare = text and not any(letter.isspace() or letter in "\"'," for letter in text) and draw(st.booleans())
        if bare and text[0] not in "=~":  # which would be a longer operator
            return text
        return mark + "".join(f"\\{letter}" if letter in ("\\", mark) else letter for letter in text) + mark

    blank = draw(st.sampled_from(["", " ", "\t"]))
    written = f"{field}{blank}{sign}{blank}{','.join(map(spelled, values))}"
    meant = Term(
        KNOWN.resolve(field), {":": "=", "==": "="}.get(sign, sign), tuple(Value(each, number(each)) for each in values)
    )
    return written, meant


def number(text: str) -> float | None:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


@given(st.lists(terms(), max_size=4))
def test_what_is_written_is_what_is_read(pairs):
    assert query.parse("  ".join(written for written, _ in pairs), KNOWN).terms == tuple(term for _, term in pairs)


@given(st.text(LETTERS, max_size=40) | st.text("lrseed=<>!~:,\"'\\ 01.%", max_size=30))
@example('"a\\"')
@example("a\x00=\x1b")
def test_any_text_is_a_query_or_is_refused_at_a_place_in_it(text):
    try:
        wanted = query.parse(text, KNOWN)
    except QueryError as error:
        at = int(str(error).rpartition("(at character ")[2][:-1])
        assert 1 <= at <= len(text) + 1
        above, below = error.pointed.split("\n")
        assert set(below) <= {" ", "^"} and above.isprintable() and below.index("^") <= len(above)
    else:
        for run in RUNS.values():
            wanted.matches(run)


@given(TEXTS)
def test_a_quoted_text_is_that_text_wherever_it_stands(text):
    written = query.quoted(text)
    [anywhere] = query.parse(written, KNOWN).terms
    [named] = query.parse(f"name={written}", KNOWN).terms
    assert anywhere == Term("", "~", (Value(text, None),)) and named.values[0].text == text


@given(terms(), terms())
def test_two_terms_hold_where_each_of_them_does(one, other):
    first, second, both = (matching(text) for text in (one[0], other[0], f"{one[0]} {other[0]}"))
    assert both == first & second


@given(PLAIN_FIELDS, st.sampled_from("=~"), st.lists(VALUES, min_size=1, max_size=3))
def test_each_run_matches_a_comparison_or_its_contrary(field, sign, values):
    written = ",".join(map(query.quoted, values))
    assert matching(f"{field}{sign}{written}") ^ matching(f"{field}!{sign}{written}") == set(RUNS)


@given(st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), st.floats(0, 0.1) | st.sampled_from([0.05, 0.005]))
def test_numbers_are_compared_as_numbers(sign, limit):
    compare = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "=": "eq", "!=": "ne"}[sign]
    expected = {name for name, run in RUNS.items() if getattr(operator, compare)(run.settings["optimizer.lr"], limit)}
    assert matching(f"lr{sign}{limit!r}") == expected


# over a folder --------------------------------------------------------------------------------------------------------


def test_columns_are_read_when_they_are_wanted_and_follow_a_run(tmp_path):
    measured = [*rows(), {"step": 40, "test_accuracy": 0.75, "angle_deg/0.weight": 9.0}]
    run = made("one", [*measured, {"step": 41, "test_accuracy": 0.5, "train_loss": float("nan")}], folder=tmp_path)
    made("two", rows(), "finished", "", "momentum", folder=tmp_path)
    listing = Listing(tmp_path)
    entries = listing.entries(True)
    assert {each.measured for each in entries.values()} == {None}
    assert not listing.measure(-1.0) and listing.measure()
    summary = entries[run.id].measured
    assert summary["test_accuracy"] == (0.5, 0.5, 0.75) and summary["train_loss"].least == 1 / 30
    assert math.isnan(summary["train_loss"].last)
    known = fields.known(entries.values())
    wanted = query.parse("angle_deg/0.weight>8 best.test_accuracy=0.75 test_accuracy=0.5 rank=16", known)
    assert [each.name for each in entries.values() if wanted.matches(each)] == ["one"]


def test_metrics_that_cannot_be_read_are_that_runs_damage(tmp_path):
    run = made("one", rows(), folder=tmp_path)
    (run.path / "metrics.1.jsonl").unlink()
    (run.path / "metrics.1.jsonl").mkdir()
    listing = Listing(tmp_path)
    [one] = listing.entries(True).values()
    assert listing.measure() and one.measured == {}
    assert "metrics.1.jsonl" in one.damage
