"""`skyflow expr`."""

import json


def test_batch_answers_line_by_line(project) -> None:
    asked = [
        {"expr": "1 + ", "context": {}},
        {"expr": "github.event.n == 2", "context": {"github": {"event": {"n": 2}}}},
        {"expr": "env.x", "context": {"github": {}}},
        {"expr": "", "context": {}},
        {"expr": "hashFiles('x')", "context": {}},
    ]
    done = project.skyflow(
        "expr", "--batch", stdin="".join(f"{json.dumps(one)}\n" for one in asked).encode() + b"not json\n"
    )
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert answers[1] == {"value": True}
    assert answers[3] == {"value": None}
    assert answers[2]["error"].startswith("Unrecognized named-value: 'env'. Located at position 1")
    assert answers[4]["error"].startswith("Unrecognized function: 'hashFiles'")
    assert set(answers[0]) == set(answers[5]) == {"error"}


def test_each_answer_comes_before_the_next_question(project) -> None:
    import subprocess

    process = subprocess.Popen(
        project.command("expr", "--batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=project.environment()
    )
    for number in range(3):
        process.stdin.write(json.dumps({"expr": f"{number}"}).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"value": number}
    process.communicate()
    assert process.returncode == 0


def test_a_person_gives_one_expression_and_a_file(project) -> None:
    (project.folder / "c.json").write_text('{"github": {"ref": "main"}}')
    assert project.skyflow("expr", "format('{0}!', github.ref)", "--context", "c.json").out == '"main!"\n'
    assert project.skyflow("expr", "${{ github.ref }} x", "--context", "c.json").out == '"main x"\n'
    assert project.skyflow("expr", "github.ref", "--context", "-", stdin=b'{"github": {"ref": 1}}').out == "1\n"


def test_mistakes_are_told(project) -> None:
    assert "Unexpected end of expression" in project.skyflow("expr", "1 ==", code=3).err
    assert "cannot read" in project.skyflow("expr", "1", "--context", "none.json", code=2).err
    project.write("nonsense", "c.json")
    assert "is not JSON" in project.skyflow("expr", "1", "--context", "c.json", code=2).err
    project.skyflow("expr", code=2)
    project.skyflow("expr", "1", "--batch", code=2)
