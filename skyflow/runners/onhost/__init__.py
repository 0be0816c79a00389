"""Runs steps on a machine, detached from whoever asked for them. This package is copied there and run as a program.

    python3 -I -S FILE.pyz FOLDER

It needs nothing but Python 3.7, and imports nothing of the rest of skyflow. One session is one such process: it takes requests from standard input and answers on
standard output, until the input ends. A step belongs to no session: it is watched over by a process of its own, prints
to a file, and leaves its exit code in another, so a later session finds everything that an earlier one has started.

With another word behind FOLDER it runs an errand: work on data that takes long (`errands.py`).

A message, in both directions, is two numbers of four bytes, then as many bytes of JSON and of data:

    {"id": 7, "do": "start", ...}        is asked    ->  {"re": 7, ...}  or  {"re": 7, "error": "why"}
    {"event": "output", "step": ...}     is told about a step that is followed, with what it has printed
    {"event": "ended", "step": ...}      with its exit code, and what it wrote to the files it answers through

Secrets come in with a message and go into the environment of a step, or into its script, which is kept in memory
(`/dev/shm`) where the machine has such a folder and is deleted when the step ends.
"""
