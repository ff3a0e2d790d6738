"""Deals by the hundred or the million, straight into the tables, as a rebuild would write them.

They are like those of a trading company: customers in English and Chinese, some
with very many deals and most with few, stages and outcomes that go with a deal's age.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from random import Random
from typing import Any

from projections.deals import found_by
from projections.models import Row
from projections.tables import deal_team, deals, entries
from projections.views import Generation, Views

DAY = 86_400_000_000
NOW = 1_790_000_000_000_000
YEARS = 5
OWNERS = [f"user-{number:04d}" for number in range(2_000)]

_FIRST = (
    "Northern",
    "Southern",
    "Pacific",
    "Baltic",
    "Global",
    "United",
    "Advanced",
    "Royal",
    "Alpine",
    "Atlas",
    "Vertex",
)
_TRADE = (
    "Steel",
    "Foods",
    "Energy",
    "Motors",
    "Chemicals",
    "Logistics",
    "Pharma",
    "Textiles",
    "Rail",
    "Mining",
    "Paper",
)
_FORM = ("Ltd", "GmbH", "Inc", "Group", "Holdings", "AB")
_PLACE = ("华北", "华东", "华南", "西部", "东方", "中原", "长江", "黄河", "太湖", "泰山", "江南")
_CRAFT = ("重工", "电力", "钢铁", "化工", "机械", "汽车", "食品", "医药", "纺织", "物流", "能源")
_COMPANY = ("集团", "有限公司", "股份", "实业")
_WORK = (
    "Press line",
    "Packaging line",
    "Vision inspection",
    "Service contract",
    "Energy audit",
    "Spare parts",
    "Control retrofit",
    "Warehouse robots",
    "Paint shop",
    "Laser cutter",
)
_WORK_ZH = (
    "压机项目",
    "包装线改造",
    "视觉检测系统",
    "年度服务合同",
    "备件框架",
    "仓储机器人",
    "节能改造",
    "涂装车间",
    "激光切割机",
    "追溯系统",
)
_REGIONS = ("EMEA", "APAC", "Americas", "华东", None)
_INDUSTRIES = ("steel", "food", "energy", "automotive", "chemicals", "rail", "mining", None)
_LOST = ("lost-to-competitor", "no-decision", "cancelled")


def deal_rows(count: int, seed: int = 7) -> Iterator[Row]:
    """Rows of the table `deals`, whose numbers rise by ten."""
    random = Random(seed)
    customers = [_customer(random, number) for number in range(max(count // 8, 1))]
    for number in range(1, count + 1):
        row = _deal(random, number, customers[_skewed(random, len(customers))])
        yield (*row, 10 * number, *found_by(row))


def entry_rows(count: int, seed: int = 7) -> Iterator[Row]:
    """Rows of the table `entries`: an event every ten seconds; one actor has half of them."""
    random = Random(seed)
    for position in range(1, count + 1):
        at = NOW - (count - position) * 10_000_000
        stream = f"deal:{_deal_id(random.randrange(1, count // 10 + 2))}"
        actor = "importer" if random.random() < 0.5 else OWNERS[_skewed(random, len(OWNERS))]
        command = f"c-{position}"
        yield (position, stream, 1, "ForecastRevised", actor, "api", at, at, at, command, False)


def team_rows(rows: Iterator[Row]) -> Iterator[Row]:
    """Who is on the teams of the deals of these rows: owners and managers."""
    manager, owner = (list(deals.columns.keys()).index(name) for name in ("manager", "owner"))
    for row in rows:
        for member in dict.fromkeys((row[owner], row[manager])):
            if member is not None:
                yield row[0], member, member == row[owner]


def fill(views: Views, deal_count: int, entry_count: int) -> None:
    """A generation that holds so many deals and entries, and answers."""
    from projections.tables import metadata

    with views.building() as building:
        built = building.start()
        with built.writing() as connection:
            built.make_tables(connection)
        _add(built, deals, deal_rows(deal_count))
        _add(built, deal_team, team_rows(deal_rows(deal_count)))
        _add(built, entries, entry_rows(entry_count))
        with built.writing() as connection:
            built.make_indexes(connection, metadata.sorted_tables)
        with built.writing() as connection:
            built.plan(connection)
        building.replace(building.finished(built))


def _add(built: Generation, table: Any, rows: Iterator[Row]) -> None:
    while some := list(islice(rows, 50_000)):
        with built.writing() as connection:
            built.add_rows(connection, table, some)


def _skewed(random: Random, count: int) -> int:
    """A number below `count`, small ones more often."""
    return int(count * random.random() ** 2)


def _deal_id(number: int) -> str:
    """Ids in no order, as theirs are that are drawn by lot."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"


def _customer(random: Random, number: int) -> tuple[str, str, bool]:
    chinese = random.random() < 0.5
    parts = (_PLACE, _CRAFT, _COMPANY) if chinese else (_FIRST, _TRADE, _FORM)
    name = ("" if chinese else " ").join(random.choice(part) for part in parts)
    return f"acc-{number:06d}", name, chinese


def _name(random: Random, customer: str, chinese: bool) -> str:
    plant = random.randrange(1, 30)
    if chinese:
        return customer[:4] + random.choice(_WORK_ZH) + random.choice(("", "二期", f"{plant}号线"))
    more = random.choice(("", " phase 2", f" plant {plant}"))
    return f"{random.choice(_WORK)} {customer.split()[0]}{more}"


def _deal(random: Random, number: int, customer: tuple[str, str, bool]) -> Row:
    account_id, account, chinese = customer
    opened_at = NOW - int(random.random() * YEARS * 365) * DAY - random.randrange(DAY)
    length = (int(random.expovariate(1 / 150)) + 5) * DAY
    over = opened_at + length < NOW
    status, outcome = (
        _end(random) if over else (random.choice(("open",) * 19 + ("suspended",)), None)
    )
    stage = random.randrange(6) if over else 5 * (NOW - opened_at) // length
    process = "five-step/1" if opened_at < NOW - 700 * DAY else "five-step/2"
    return (
        _deal_id(number),
        random.randrange(4, 40),
        _name(random, account, chinese),
        f"CRM-{number:07d}" if random.random() < 0.8 else None,
        account_id,
        account,
        OWNERS[_skewed(random, 200)] if random.random() < 0.9 else None,
        opened_at + DAY,
        min(NOW, opened_at + length),
        status,
        outcome,
        process if random.random() < 0.8 else "key-account/1",
        f"P{stage + 1}",
        stage,
        int(10 ** (4 + 5 * random.random())) if random.random() < 0.88 else None,
        random.choice(("USD", "EUR", "CNY")),
        _date(random) if random.random() < 0.9 else None,
        random.randrange(101),
        random.choice(("commit", "pipeline", None)),
        OWNERS[_skewed(random, len(OWNERS))],
        _REGIONS[_skewed(random, len(_REGIONS))],
        _INDUSTRIES[_skewed(random, len(_INDUSTRIES))],
        f"T{_skewed(random, 60)}" if random.random() < 0.8 else None,
        _WORK[_skewed(random, len(_WORK))],
        random.choice(("new", "renewal", "upsell", None)),
        random.choice("ABCD"),
        opened_at,
        opened_at + length if over else None,
        random.choice(("referral", "trade fair", "inbound enquiry")),
        None,
        None,
    )


def _end(random: Random) -> tuple[str, str | None]:
    drawn = random.random()
    if drawn < 0.3:
        return "won", "won"
    return ("lost", random.choice(_LOST)) if drawn < 0.97 else ("voided", None)


def _date(random: Random) -> str:
    day = date(2021, 1, 1) + timedelta(days=random.randrange(2_500))
    return day.isoformat()
