from callhopper.v1 import contact_item_type_service_pb2 as pb
from tests.refusals import refused


async def test_it_answers_one_type(item_types, make):
    type_id = make.item_type("Office", order_by=2, colour="#FF0000")
    answer = await item_types.GetContactItemType(
        pb.GetContactItemTypeRequest(name=f"contactItemTypes/{type_id}")
    )
    stored = answer.contact_item_type
    assert (stored.display_name, stored.order_by, stored.colour) == ("Office", 2, "#FF0000")


async def test_a_type_that_does_not_exist_is_not_found(item_types):
    with refused("RESOURCE_NOT_FOUND") as refusal:
        await item_types.GetContactItemType(
            pb.GetContactItemTypeRequest(name="contactItemTypes/9223372036854775807")
        )
    assert refusal.message == "contactItemTypes/9223372036854775807 does not exist"


async def test_a_malformed_name_is_refused(item_types):
    reasons = {
        "": "must be given as contactItemTypes/{id}",
        "contacts/1": "is 'contacts/1', must be contactItemTypes/{id}",
        "contactItemTypes/01": "is 'contactItemTypes/01', must be contactItemTypes/{id}",
        "contactItemTypes/1/x": "is 'contactItemTypes/1/x', must be contactItemTypes/{id}",
        "contactItemTypes/\u0661": "is 'contactItemTypes/\u0661', must be contactItemTypes/{id}",
        "contactItemTypes/9223372036854775808": (
            "is 'contactItemTypes/9223372036854775808', and there is no such id"
        ),
    }
    for name, reason in reasons.items():
        with refused("INVALID_FIELD") as refusal:
            await item_types.GetContactItemType(pb.GetContactItemTypeRequest(name=name))
        assert refusal.fields == {"name": reason}
