*** Settings ***
Resource          ../steps.resource
Test Tags         storage-files    owner:storage

*** Test Cases ***
Creates File
    [Tags]    smoke
    Measure    creates file

Appends To File
    Measure    appends to file

Renames File
    Measure    renames file

Deletes File
    Measure    deletes file

Fills Disk
    Measure    fills disk

Recovers Journal
    [Tags]    smoke
    Measure    recovers journal
    Fail    journal has a gap after entry 511

Keeps Time Stamps
    Measure    keeps time stamps

Handles Ünïcode Names
    Measure    handles ünïcode names
