*** Comments ***
A made-up bench to watch: 60 tests in 8 suites (Bench, Power, Radio, Link, Roaming, Storage, Flash, Files).
Expected: 60 planned, 53 passed, 4 failed, 3 skipped; Robot's exit code is 4.
About 26 s at the default pace. Faster or slower with `--variable PACE:0` or `--variable PACE:2`.
    robot --listener ../holter_robot.py bench

*** Settings ***
Resource          steps.resource
Suite Setup       Switch Bench On
Suite Teardown    Switch Bench Off
