"""E-way bills as they are sent, and what the fields of their list mean."""

from bilty.intake import limits
from bilty.web.describe.schemas import closed, day, many, named, text, yes_or_no

NEW_EWAYBILL = {
    **closed(
        "The e-way bill of one invoice. Without a number it is taken away.",
        {"invoice": text(limits.INVOICE_NUMBER_CHARS_MAX, "One of the shipment's, once in the list.", "INV-1")},
        {
            "number": named("^[0-9]{12}$", "Of 12 digits.", "331001234567"),
            "expires_on": day("Its last day, today or later, and not before the pickup.", "2099-12-31"),
        },
    ),
    "dependentRequired": {"expires_on": ["number"]},
}
NEW_EWAYBILLS = closed(
    "Invoices that are not named keep what they have.",
    {"items": many(NEW_EWAYBILL, 1, limits.INVOICES_MAX, "All of them, or none, are done.")},
    {
        "schedule": yes_or_no(
            "Book it then, for the first time, unless something else holds it. false unless it is given.", example=True
        )
    },
)

ABOUT: dict[str, dict[str, str]] = {
    "EwaybillsAnswer": {"items": "One of each invoice, in their order.", "next": "null: there is one page."},
    "EwaybillAnswer": {
        "invoice": "The number of the invoice.",
        "value": "The invoice's total.",
        "number": '"" where it has none.',
        "expires_on": "Its last day, if it was given.",
        "required": "Whether goods of this value may not move without one.",
        "expired": "Whether its last day is past, in India.",
        "told": "Whether the courier that has the shipment was told this number.",
        "transporter": "What a person must change at the e-way bill portal, because another courier has the boxes than "
        "was told the number first; null where nothing is.",
    },
}
