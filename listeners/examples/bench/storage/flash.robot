*** Settings ***
Resource          ../steps.resource
Suite Setup       Pause
Suite Teardown    Pause
Test Tags         storage-flash    owner:storage

*** Test Cases ***
Reads Identity
    [Tags]    smoke
    Measure    reads identity

Erases Block
    Measure    erases block

Writes Page
    Measure    writes page

Reads Page
    Measure    reads page

Survives Power Cut
    Measure    survives power cut

Levels Wear
    [Tags]    smoke
    Measure    levels wear

Marks Bad Block
    Measure    marks bad block

Corrects One Bit
    Measure    corrects one bit

Detects Two Bits
    Measure    detects two bits

Locks Range
    Measure    locks range

Unlocks Range
    [Tags]    smoke
    Measure    unlocks range

Endurance
    Skip    takes a week
