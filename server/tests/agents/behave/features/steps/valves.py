from behave import given, then


@given("a valve")
def a_valve(context):
    context.valve = True


@then("it works")
def it_works(context):
    assert context.valve


@then("it breaks")
def it_breaks(context):
    raise AssertionError("the pressure fell")
