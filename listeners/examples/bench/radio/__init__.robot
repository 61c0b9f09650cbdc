*** Settings ***
Resource          ../steps.resource
Suite Setup       Pause
