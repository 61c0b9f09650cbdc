Feature: Valves

  Scenario: opens
    Given a valve
    Then it works

  Scenario: holds
    Given a valve
    Then it breaks

  Scenario Outline: runs
    Given a valve
    Then it works

    Examples:
      | number |
      | 1      |
      | 2      |
