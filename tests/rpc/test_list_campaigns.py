"""ListCampaigns."""

from callhopper.v1 import campaign_service_pb2 as pb
from tests.refusals import refused
from tests.rpc import dialing as arrangement

dialing = arrangement.dialing


async def page(dialing, **query):
    answer = await dialing.campaigns.ListCampaigns(pb.ListCampaignsRequest(**query))
    return [one.display_name for one in answer.campaigns], answer.next_page_token


async def test_campaigns_come_by_id_page_by_page(dialing, make):
    for name in "cab":
        make.campaign(name)
    assert await page(dialing) == (["c", "a", "b"], "")
    first, token = await page(dialing, page_size=2)
    assert first == ["c", "a"]
    assert await page(dialing, page_size=2, page_token=token) == (["b"], "")


async def test_campaigns_are_filtered_by_state_and_by_name(dialing, make):
    for name, state in (("a", "DRAFT"), ("b", "RUNNING"), ("c", "STOPPED")):
        make.campaign(name, state=state)
    assert (await page(dialing, states=["STATE_DRAFT", "STATE_STOPPED"]))[0] == ["a", "c"]
    assert (await page(dialing, display_name="B"))[0] == ["b"]
    assert (await page(dialing, display_name="B", states=["STATE_DRAFT"]))[0] == []


async def test_a_page_token_belongs_to_its_query(dialing, make):
    for name in "ab":
        make.campaign(name)
    _, token = await page(dialing, page_size=1)
    for query in ({"page_token": token + "x"}, {"page_token": token, "states": ["STATE_DRAFT"]}):
        with refused("INVALID_PAGE_TOKEN"):
            await page(dialing, **query)


async def test_every_bad_field_is_named(dialing):
    with refused("INVALID_FIELD") as refusal:
        await page(dialing, page_size=-1, states=[2, 99], display_name="x" * 129)
    assert refusal.fields == {
        "page_size": "is -1, must be 0 or more",
        "states[1]": "is 99, which is no State",
        "display_name": "has 129 characters, must have at most 128",
    }


async def test_the_state_that_is_not_set_filters_nothing_and_is_refused(dialing):
    with refused("INVALID_FIELD") as refusal:
        await page(dialing, states=[0])
    assert list(refusal.fields) == ["states[0]"]
