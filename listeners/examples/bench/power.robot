*** Settings ***
Resource          steps.resource
Suite Setup       Switch Bench On
Suite Teardown    Switch Bench Off
Test Tags         power    owner:power

*** Test Cases ***
Supply Comes Up
    [Tags]    smoke
    Measure    supply comes up

Supply Goes Down
    Measure    supply goes down

Idle Current
    Measure    idle current

Full Load Current
    Measure    full load current

Brown Out
    Measure    brown out
    Fail    3.31 V is below 3.42 V

Short Circuit
    [Tags]    smoke
    Measure    short circuit

Battery Takes Over
    Measure    battery takes over

Battery Charges
    Skip    no charger on this bench

Battery Reports Level
    Measure    battery reports level

Sleep Current
    Measure    sleep current

Wake By Timer
    [Tags]    smoke
    Measure    wake by timer

Wake By Button
    Measure    wake by button

Reset Line
    Measure    reset line

Watchdog Bites
    Measure    watchdog bites

Clock Keeps Time
    Measure    clock keeps time
