*** Settings ***
Resource          ../steps.resource
Test Tags         radio-roaming    owner:radio

*** Test Cases ***
Sees Two Cells
    [Tags]    smoke
    Measure    sees two cells

Prefers Stronger Cell
    Measure    prefers stronger cell

Roams Once
    Measure    roams once

Roams Back
    Measure    roams back

Roams Under Load
    Measure    roams under load
    Fail    lost 14 of 1000 packets while roaming

Roams At Night
    [Tags]    smoke
    Skip    only runs at night

Stays On Hysteresis
    Measure    stays on hysteresis

Drops Dead Cell
    Measure    drops dead cell

Reports Cell
    Measure    reports cell

Forgets Old Cells
    Measure    forgets old cells
