*** Test Cases ***
Opens
    Log    opening    WARN
    Should Be Equal    ${1}    ${1}

Shuts
    No Operation

Holds
    Fail    the pressure fell

Vents
    Skip    not built in
