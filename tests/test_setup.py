"""The scripts behind `make`, each test in a copy of them, with stand-ins for Python, apt-get, df and Chromium."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BASH = shutil.which("bash")
TOOLS = "awk cat cksum cut dirname du env grep id ls mkdir rm sed sleep tail uname".split()

# A Python that runs code, but notes what it is asked to install or to start, and makes environments of itself.
PYTHON = f"""#!{BASH}
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && : >"$3/pyvenv.cfg" && cat "$0" >"$3/bin/python" && chmod +x "$3/bin/python" ;;
  "-m pip") echo "pip ${{*: -1}}" >>calls; sleep "${{PIP_SECONDS:-0}}"; echo "pip's last words"
    exit "${{PIP_EXIT:-0}}" ;;
  "-m "*) (IFS="|"; echo "$*") >>calls; echo "FOP_CHROMIUM=${{FOP_CHROMIUM:-}}" >>calls
    [ "${{FAILS:-}}" != "$4" ] ;;
  "-c "*ensurepip*) [ -e has-venv ] ;;
  "-c "*) exec {sys.executable} -c "import sys; sys.version_info = (${{PRETEND:-3, 12}}, 0); exec(sys.argv[1])" "$2" ;;
  "- "*) exec {sys.executable} "$@" ;;
esac
"""


class Project:
    """A copy of the scripts, and a PATH with nothing on it but what a test puts there."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        for name in ("requirements.txt", "requirements-dev.txt"):
            shutil.copy(ROOT / name, folder)
        (folder / "has-venv").touch()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.put("chmod", f'exec {shutil.which("chmod")} "$@"')
        self.put("df", 'echo header; echo "map auto home 99999999 1 50000000 1% /some where"')

    def put(self, name: str, text: str, folder: str = "bin") -> Path:
        """An executable: `text` is its whole, or what bash shall run."""
        file = self.folder / folder / name
        file.unlink(missing_ok=True)
        file.write_text(text if text.startswith("#!") else f"#!{BASH}\n{text}\n")
        file.chmod(0o755)
        return file

    def start(self, code: str, **env: str) -> subprocess.Popen:
        env = {"PATH": str(self.bin), "HOME": str(self.folder), **env}
        pipe = subprocess.PIPE
        return subprocess.Popen([BASH, "-c", code], cwd=self.folder, env=env, stdout=pipe, stderr=pipe, text=True)

    def run(self, code: str, **env: str) -> subprocess.CompletedProcess:
        process = self.start(code, **env)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(code, process.returncode, out, err)

    def setup(self, level: str = "app", **env: str) -> subprocess.CompletedProcess:
        return self.run(f"{BASH} scripts/setup.sh {level}", **env)

    def calls(self) -> list[str]:
        """What was asked of the stand-ins since the last look."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


INSTALL_APP = ["pip torchvision>=0.25", "pip requirements.txt"]
INSTALL_DEV = ["pip torchvision>=0.25", "pip requirements-dev.txt"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# Which Python


def chosen_python(project: Project, **env: str) -> str:
    return project.run('. scripts/setup.sh; find_python && echo "$python"', **env).stdout.strip()


def test_a_shim_that_does_not_run_is_passed_over(project):
    project.put("python3.14", "exit 127")
    project.put("python3.13", PYTHON.replace("PRETEND:-3, 12", "PRETEND:-3, 10"))
    project.put("python3", PYTHON)
    assert chosen_python(project) == "python3"


def test_the_newest_python_is_taken(project):
    for name in ("python3", "python3.11", "python3.13"):
        project.put(name, PYTHON)
    assert chosen_python(project) == "python3.13"


def test_a_named_python_is_taken_or_refused_but_never_replaced(project):
    project.put("python3", PYTHON)
    mine = project.put("mine", PYTHON)
    assert chosen_python(project, PYTHON=str(mine)) == str(mine)
    result = project.run(". scripts/setup.sh; get_python", PYTHON=str(mine), PRETEND="3, 10")
    assert result.returncode == 1
    assert f"PYTHON={mine} is no CPython of 3.11 or newer" in result.stderr


def test_without_any_python_it_says_what_to_install(project):
    result = project.run(". scripts/setup.sh; get_python")
    assert result.returncode == 1
    assert "apt-get install python3 python3-venv" in result.stderr
    assert "brew install python" in result.stderr


# apt-get and the venv module


APT_GET = 'echo "apt-get $*" >>calls; case $1 in install) : >has-venv ;; esac'


def without_venv_module(project: Project, user: int, **commands: str) -> subprocess.CompletedProcess:
    project.put("python3", PYTHON)
    project.put("id", f"echo {user}")
    for name, text in commands.items():
        project.put(name.replace("_", "-"), text)
    (project.folder / "has-venv").unlink()
    return project.run(". scripts/setup.sh; get_python; get_venv_module")


INSTALL_VENV = ["apt-get update", "apt-get install --yes --no-install-recommends python3.12-venv"]


def test_root_gets_the_missing_venv_module_by_apt(project):
    assert without_venv_module(project, 0, apt_get=APT_GET).returncode == 0
    assert project.calls() == INSTALL_VENV


def test_a_user_gets_it_by_sudo_where_that_asks_for_no_password(project):
    sudo = '[ "$1" = -n ] && shift && "$@"'
    assert without_venv_module(project, 1000, apt_get=APT_GET, sudo=sudo).returncode == 0
    assert project.calls() == INSTALL_VENV


@pytest.mark.parametrize("commands", [{}, {"apt_get": APT_GET}, {"apt_get": APT_GET, "sudo": "exit 1"}])
def test_else_the_package_is_named(project, commands):
    result = without_venv_module(project, 1000, **commands)
    assert result.returncode == 1
    assert "apt-get install python3.12-venv" in result.stderr
    assert project.calls() == []


# Space


def df(gigabytes: float) -> str:
    return f'echo header; echo "map auto home 99999999 1 {int(gigabytes * 1e9 / 1024)} 1% /some where"'


def test_too_little_space_is_refused_before_anything_is_made(project):
    project.put("python3", PYTHON)
    project.put("df", df(8.9))
    result = project.setup()
    assert result.returncode == 1
    assert "needs 9 GB free and there are 8 GB" in result.stderr
    assert project.calls() == [] and not (project.folder / ".venv").exists()


def test_enough_space_an_override_or_torch_already_there_pass(project):
    project.put("python3", PYTHON)
    check = ". scripts/setup.sh; check_space"
    project.put("df", df(9.1))
    assert project.run(check).returncode == 0
    project.put("df", df(2.1))
    assert project.run(check).returncode == 1
    assert project.run(check, FOP_SKIP_SPACE_CHECK="1").returncode == 0
    (project.folder / ".venv/lib/python3.12/site-packages/torch").mkdir(parents=True)
    assert project.run(check).returncode == 0


def test_space_matters_only_when_something_is_to_be_installed(project):
    project.put("python3", PYTHON)
    project.setup()
    project.put("df", df(0))
    assert project.setup().returncode == 0


# When it installs


def test_it_installs_once(project):
    project.put("python3", PYTHON)
    assert project.setup().returncode == 0
    assert project.calls() == INSTALL_APP
    result = project.setup()
    assert (result.returncode, result.stderr, project.calls()) == (0, "", [])


def test_the_development_level_includes_the_app(project):
    project.put("python3", PYTHON)
    project.setup("dev")
    assert project.calls() == INSTALL_DEV
    project.setup("app")
    project.setup("dev")
    assert project.calls() == []


def test_changed_requirements_install_again(project):
    project.put("python3", PYTHON)
    project.setup("dev")
    project.calls()
    with open(project.folder / "requirements-dev.txt", "a") as file:
        file.write("another-package\n")
    project.setup("app")
    assert project.calls() == []
    project.setup("dev")
    assert project.calls() == INSTALL_DEV


def test_another_python_in_the_environment_installs_again(project):
    project.put("python3", PYTHON)
    project.setup()
    project.calls()
    python = project.folder / ".venv/bin/python"
    python.write_text(python.read_text().replace("import sys; ", "import sys; sys.version = 'another'; "))
    project.setup()
    assert project.calls() == INSTALL_APP


def test_a_failed_installation_shows_the_log_and_is_tried_again(project):
    project.put("python3", PYTHON)
    result = project.setup(PIP_EXIT="1")
    assert result.returncode == 1
    assert "Installing requirements.txt failed. The last lines of .venv.log:\npip's last words" in result.stderr
    project.calls()
    assert project.setup().returncode == 0
    assert project.calls() == INSTALL_APP


def test_a_failed_development_installation_unsettles_the_app_too(project):
    project.put("python3", PYTHON)
    project.setup("app")
    project.setup("dev", PIP_EXIT="1")
    project.calls()
    project.setup("app")
    assert project.calls() == INSTALL_APP


def test_an_environment_whose_python_is_gone_is_rebuilt(project):
    project.put("python3", PYTHON)
    project.setup()
    project.calls()
    (project.folder / ".venv/bin/python").unlink()
    stale = project.folder / ".venv/stale"
    stale.touch()
    assert project.setup().returncode == 0
    assert project.calls() == INSTALL_APP
    assert not stale.exists()


def test_a_folder_that_is_no_environment_is_left_alone(project):
    project.put("python3", PYTHON)
    precious = project.folder / "home/thesis.tex"
    precious.parent.mkdir()
    precious.touch()
    result = project.setup(VENV="home")
    assert result.returncode == 1
    assert "VENV=home is not a virtual environment" in result.stderr
    assert precious.exists()


def test_of_two_makes_at_once_one_installs_and_the_other_waits(project):
    project.put("python3", PYTHON)
    both = [project.start(f"{BASH} scripts/setup.sh app", PIP_SECONDS="1") for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert project.calls() == INSTALL_APP
    assert sum("Another make is installing into .venv; waiting" in text for text in errors) == 1


def test_native_windows_is_sent_to_wsl2(project):
    project.put("uname", "echo MINGW64_NT-10.0")
    result = project.setup()
    assert result.returncode == 1
    assert "WSL2" in result.stderr


# The browser, and the tests


def run_tests(project: Project, *arguments: str, **env: str) -> subprocess.CompletedProcess:
    project.put("python3", PYTHON)
    project.setup("dev")
    project.calls()
    return project.run(" ".join([f"{BASH} scripts/test.sh", *arguments]), **env)


JOURNEYS = ("tests/journeys", "tests/jobs/test_queue.py", "tests/jobs/test_trust.py")
LONG = ("tests/browser", "tests/faults", "tests/slurm")


def both_halves(chromium: str, *long: str) -> list[str]:
    """The calls that run the tests: most by fours, then those that start servers and jobs by twos."""
    first = ["-m", "pytest", "-n", "4", "--dist", "loadfile", *(f"--ignore={path}" for path in (*JOURNEYS, *LONG))]
    first += [] if long else ["-m", "not long"]
    most = "--durations=40"  # lists what takes longest
    second = ["-m", "pytest", "-n", "2", "--dist", "loadfile", *JOURNEYS, *long]
    return ["|".join([*first, most]), chromium, "|".join([*second, most]), chromium]


def test_a_chromium_named_by_the_user_comes_first(project):
    project.put("chromium", "exit 0")
    mine = project.put("my-chromium", "exit 0")
    assert run_tests(project, "tests/optim", "-k", "'a b'", FOP_CHROMIUM="my-chromium").returncode == 0
    assert project.calls() == ["-m|pytest|tests/optim|-k|a b", f"FOP_CHROMIUM={mine}"]


def test_of_those_on_the_path_the_first_that_runs_is_taken(project):
    project.put("chromium-browser", "echo 'requires the chromium snap'; exit 1")
    project.put("google-chrome", "exit 0")
    project.put("google-chrome-stable", "exit 0")
    run_tests(project)
    assert project.calls() == both_halves(f"FOP_CHROMIUM={project.bin / 'google-chrome'}")


@pytest.mark.parametrize("broken", ["no-such-file", "requirements.txt"])
def test_a_named_chromium_that_does_not_run_is_an_error(project, broken):
    project.put("chromium", "exit 0")
    result = run_tests(project, FOP_CHROMIUM=broken)
    assert result.returncode == 1
    assert f"FOP_CHROMIUM={broken} is no Chromium that runs" in result.stderr
    assert project.calls() == []


needs_no_mac_browser = pytest.mark.skipif(
    any(Path(f"/Applications/{name}.app").exists() for name in ("Chromium", "Google Chrome")),
    reason="this Mac has a browser where the script looks",
)


@needs_no_mac_browser
def test_a_missing_chromium_is_installed_by_apt(project):
    project.put("id", "echo 0")
    project.put("apt-get", f'echo "apt-get $*" >>calls; printf "#!{BASH}\\n" >bin/chromium; chmod +x bin/chromium')
    assert run_tests(project).returncode == 0
    assert project.calls() == [
        "apt-get update",
        "apt-get install --yes --no-install-recommends chromium fonts-liberation",
        *both_halves(f"FOP_CHROMIUM={project.bin / 'chromium'}"),
    ]


@needs_no_mac_browser
def test_without_chromium_the_tests_fail_and_say_what_to_install(project):
    result = run_tests(project)
    assert result.returncode == 1
    assert "apt-get install chromium" in result.stderr and "FOP_SKIP_BROWSER=1" in result.stderr
    assert project.calls() == []


def test_the_long_ones_are_left_out_in_words_unless_all_are_wanted(project):
    chromium = f"FOP_CHROMIUM={project.put('chromium', 'exit 0')}"
    result = run_tests(project)
    assert f"FOP_TESTS=all adds: {' '.join(LONG)}" in result.stderr
    assert project.calls() == both_halves(chromium)
    result = run_tests(project, FOP_TESTS="all")
    assert "Running all tests" in result.stderr
    assert project.calls() == both_halves(chromium, *LONG)


def test_browser_tests_are_left_out_only_when_asked_and_never_silently(project):
    result = run_tests(project, "-q", FOP_SKIP_BROWSER="1")
    assert result.returncode == 0
    assert "tests in tests/browser are left out" in result.stderr
    assert project.calls() == ["-m|pytest|-m|not browser|-q", "FOP_CHROMIUM="]


def test_under_ci_nothing_is_left_out(project):
    result = run_tests(project, FOP_SKIP_BROWSER="1", CI="true")
    assert result.returncode == 1
    assert "nothing is left out there" in result.stderr
    assert project.calls() == []


# The app


def test_the_address_is_followed_by_the_way_to_it_with_the_port_really_taken(project):
    app = 'echo "-m streamlit"; echo; echo "  URL: http://127.0.0.1:8503"'
    project.put("python3", PYTHON.replace('"-m "*)', f'"-m streamlit") echo "$*" >>calls; {app} ;;\n  "-m "*)'))
    result = project.run(f"{BASH} scripts/app.sh --server.runOnSave true | cat")
    assert "ssh -L 8501:127.0.0.1:8503 " in result.stdout
    assert project.calls() == [*INSTALL_APP, "-m streamlit run app.py --server.runOnSave true"]


def test_streamlit_knows_each_of_our_settings():
    config = pytest.importorskip("streamlit.config")
    text = (ROOT / ".streamlit/config.toml").read_text()
    ours = tomllib.loads(text)
    for section in ("server", "browser", "client"):
        assert ours[section].keys() <= config.get_options_for_section(section).keys()
    assert ours["server"]["address"] == "127.0.0.1"
    assert "port" not in ours["server"]  # set, it would not move on to the next free one
    assert ours["server"]["showEmailPrompt"] is False and ours["browser"]["gatherUsageStats"] is False
    assert "http" not in re.sub("#.*", "", text)


# What is written down twice


def lines(name: str) -> set[str]:
    return {line for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "#-"}


def test_the_package_asks_for_what_requirements_txt_asks():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    required = {*project["dependencies"], *extras["train"], *extras["app"]} - {"fop-lab[train]"}
    assert required == lines("requirements.txt")


def test_every_dependency_has_its_reason():
    reasons = (ROOT / "docs/dependencies.md").read_text()
    for line in lines("requirements.txt") | lines("requirements-dev.txt"):
        assert f"| {re.split('[<>=]', line)[0]} " in reasons


def test_the_mnist_files_are_what_their_readme_says():
    rows = re.findall(r"\| `(.+)` \| ([\d,]+) \| `(\w+)` \| `(\w+)` \|", (ROOT / "data/README.md").read_text())
    assert len(rows) == 4
    for name, size, sha256, md5 in rows:
        packed = (ROOT / "data/MNIST/raw" / name).read_bytes()
        assert len(packed) == int(size.replace(",", ""))
        assert hashlib.sha256(packed).hexdigest() == sha256
        assert hashlib.md5(gzip.decompress(packed)).hexdigest() == md5


def test_continuous_integration_runs_what_the_documents_say():
    ours, theirs = (ROOT / ".ci/run").read_text(), (ROOT / ".github/workflows/ci.yml").read_text()
    for text in (ours, theirs):
        lines = [line.strip().removeprefix("- run: ") for line in text.splitlines()]
        assert [line for line in lines if "make" in line] == ["make lint", "FOP_TESTS=all make test"]
    assert "apt-get install -y slurm-wlm munge" in theirs and theirs.rstrip().endswith("-m pytest tests/slurm")
    for document in ("CHANGELOG.md", "CONTRIBUTING.md"):
        assert "FOP_TESTS=all make test" in (ROOT / document).read_text()


def test_the_scripts_can_be_started():
    for script in [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci/run"]:
        assert os.access(script, os.X_OK), script
        subprocess.run([BASH, "-n", script], check=True)


@pytest.mark.parametrize("fails", ["4", "2"])
def test_one_failing_half_fails_the_tests_and_the_other_is_run_all_the_same(project, fails):
    project.put("chromium", "exit 0")
    result = run_tests(project, FAILS=fails)
    assert result.returncode == 1
    assert len([call for call in project.calls() if call.startswith("-m|pytest")]) == 2
