"""What the fields of answers mean, by the struct that is answered. A test wants each of them."""

from bilty.store.hand_off.deliveries import COUNTED_MAX
from bilty.web.describe import bulk_fields, deciding, documents, ewaybill_fields, problem_fields
from bilty.words import grouped

_OWN_NUMBER = "Bilty's own number of it."
_FACILITY = "The code of the facility where its boxes are."
_ORDER_NUMBER = "As sent; the shipment's number where none was."
_PROVIDER = "The code of the shipping provider that books it."
_PARTLY = '"" where it has none.'
_WARNINGS = "What a person should look at before a courier does, as sentences."
_WHY = "Why it waits for a person; null while it does not."
_AWB = "The courier's waybill number, once there is one."
_BOX = {
    "number": "From 1, in the order in which boxes were sent.",
    "reference": "What the courier was told.",
    "awb": "The box's own waybill number, once there is one.",
}
_COURIER = {
    "cp_id": "ClickPost's number of the courier.",
    "account_code": "Which account with it.",
    "name": "As ClickPost names it.",
    "priority": "1 is asked first.",
}
_PARTY = {
    "name": "The person or desk to ask for.",
    "organisation": "The company.",
    "phone": "One Indian number.",
    "email": _PARTLY,
    "address": "Street and place, as sent, line breaks and all.",
    "city": "Of the address.",
    "state": "State or union territory.",
    "pincode": "PIN code of 6 digits.",
    "country": "IN: carried within India only.",
    "gstin": _PARTLY,
}
_ROW = {
    "row": "The line on which it begins, counted from 1.",
    "rows": "Its first line and its last.",
}
_ALL = "All of them."
_PAGE = "Those of this page."
_NEXT = "Where the next page is; null on the last."
_NO_NEXT = "null: there is one page."

_SHIPMENTS: dict[str, dict[str, str]] = {
    "ShipmentAnswer": {
        "id": _OWN_NUMBER,
        "number": "Its number, once in its facility.",
        "order_number": _ORDER_NUMBER,
        "facility": _FACILITY,
        "shipping_provider": _PROVIDER,
        "consignee": "Whom the boxes go to.",
        "payment": "Whether the courier collects money.",
        "invoices": "Those that travel with the boxes.",
        "purchase_orders": "The consignee's orders.",
        "boxes": "In the order in which they are numbered; those alike that follow each other are counted.",
        "appointment": "The hours at which the consignee takes delivery, if they were agreed.",
        "pickup_at": "When the courier is to come; null for the connector's minutes from booking.",
        "status": "Where it stands.",
        "created_at": "When it was taken in.",
        "courier": "Who has the shipment, or is being asked for it.",
        "awb": _AWB,
        "label_url": "Where its label is, with the same key; null while there is none.",
        "papers_url": "Where its box stickers and packing slips are, where the connector says packslip_required; else "
        "null.",
        "run": "How often it was booked: 0 before the first time.",
        "version": "Which it is of what it was: one more whenever it is changed after a courier was asked to carry it.",
        "polls_done": "How often the courier now waited for was asked for the label.",
        "next_poll_at": "When it is asked next.",
        "window_ends_at": "When the next courier is asked instead.",
        "problem": _WHY,
        "warnings": _WARNINGS,
        "pickup": "The new pickup that was asked for, where the label came after the first; null for none.",
    },
    "PickupAnswer": {
        "at": "When the courier was asked to come.",
        "confirmation": f"The courier's number for it. {_PARTLY}",
    },
    "Party": _PARTY,
    "Payment": {"mode": "cod: the courier collects the amount.", "cod_amount": "0.00 where it is prepaid."},
    "Invoice": {
        "number": "Once in the shipment.",
        "date": "The day it was made out.",
        "value": "Its total.",
        "taxable_value": "Before taxes.",
        "cgst": "The amount of this tax.",
        "sgst": "The amount of this tax.",
        "igst": "The amount of this tax.",
        "ewaybill_number": f"Of 12 digits. {_PARTLY}",
        "ewaybill_expires_on": "Its last day.",
    },
    "PurchaseOrder": {
        "number": "Once in the shipment.",
        "expires_on": "The last day on which the consignee takes it in.",
    },
    "Boxes": {
        "count": "How many boxes are so.",
        "length_cm": "Of one box.",
        "breadth_cm": "Of one box.",
        "height_cm": "Of one box.",
        "weight_g": "Of one box.",
        "invoice": f"The number of the invoice it belongs to. {_PARTLY}",
        "purchase_order": f"The number of the purchase order it belongs to. {_PARTLY}",
        "items": "What lies in one box.",
    },
    "Item": {
        "sku": "What it is, in your numbers.",
        "description": f"In words. {_PARTLY}",
        "hsn": f"HSN code of 2, 4, 6 or 8 digits. {_PARTLY}",
        "quantity": "Pieces in one box.",
        "unit_price": "Of one piece.",
    },
    "Appointment": {
        "starts_at": "From when.",
        "ends_at": "Until when.",
        "id": f"The slot's number at a fulfilment centre. {_PARTLY}",
    },
    "Problem": {
        "code": "For programs.",
        "message": "What happened.",
        "remedy": "What the reader can do.",
    },
    "CourierTaken": _COURIER,
    "ShipmentPage": {"items": _PAGE, "next": _NEXT},
    "BoxesAnswer": {"items": "Each box is one, in their order."},
    "BoxAnswer": _BOX,
    "TimelineAnswer": {"items": "The oldest first.", "next": _NO_NEXT},
    "MomentAnswer": {
        "at": "When it happened.",
        "run": "Which booking it belongs to, if any.",
        "priority": "The courier's place in that booking.",
        "courier": 'The courier\'s name; "" where it concerns none.',
        "reference": "What the courier was told as the shipment's reference.",
        "state": "What state the turn came to.",
        "polls_done": "How often the courier had been asked for the label by then.",
        "message": "What the courier said.",
        "told": "The same as a sentence, as the panel shows it.",
    },
}
_SETTING_UP: dict[str, dict[str, str]] = {
    "ProvidersAnswer": {"items": _ALL, "next": _NO_NEXT},
    "ProviderAnswer": {
        "code": "Its name in shipments.",
        "kind": "What it is connected to.",
        "name": "As the panel shows it.",
        "enabled": "Whether it books shipments.",
        "connector_set": "Whether it has a username and key.",
        "paused_at": "Since when nothing is sent to it, because it rejects the key.",
        "alarmed_at": "Since when it answers badly.",
        "silent_since": "Since when it does not answer.",
        "quiet_until": "Until when nothing is sent to it, because it asked for that with a 429.",
        "problems": "What is the matter, as sentences.",
    },
    "ConnectorAnswer": {
        "username": "As ClickPost gave it.",
        "key_ends_with": "The last characters of the key, to recognise it by.",
        "packslip_required": "Whether a packing slip is printed with each label.",
        "pickup_after_minutes": "Minutes from booking to pickup, where the shipment names no time.",
        "appointment_after_days": "Days from booking to the appointment, where the shipment has none; null for none.",
        "calls_at_once": "Calls out at once, of all programs together; null for BILTY_CALLS_MAX of each.",
        "calls_per_second": "Calls in a second, of all programs together; null for no limit.",
    },
    "FacilitiesAnswer": {"items": _PAGE, "next": _NEXT},
    "FacilityAnswer": {
        **_PARTY,
        "code": "Its name in shipments.",
        "location_code": f"Its code at ClickPost, sent instead of the address. {_PARTLY}",
        "time_zone": "In which days and times are told to people.",
        "opens_at": f"When boxes are fetched from, by its own clock, as in 09:00. {_PARTLY}",
        "closes_at": f"From when on they are not fetched any more; 00:00 is midnight. {_PARTLY}",
        "days_off": "Days of the week on which nothing is fetched.",
        "holidays": "Dates on which nothing is fetched.",
        "warnings": _WARNINGS,
    },
    "KeyAnswer": {
        "name": "As it was named when it was made.",
        "facilities": "Codes of those it opens; null for all, also those added later.",
        "scope": "read, dispatch or admin.",
        "expires_at": "From when it opens nothing; null for never.",
    },
}
_HAND_OFF: dict[str, dict[str, str]] = {
    "EndpointsAnswer": {"items": _ALL, "next": _NO_NEXT},
    "EndpointAnswer": {
        "code": "Its name in the API.",
        "url": "Where events are sent.",
        "events": "Which kinds of events.",
        "facilities": "Codes of those whose shipments it is told of; null for all.",
        "enabled": "Whether a person wants it; `state` says how it is.",
        "state": "disabled is Bilty's doing after long failure, off a person's.",
        "failing_since": "Since when nothing was received there.",
        "disabled_at": "When Bilty disabled it; null while it is not.",
        "disabled_why": 'Why Bilty did, as a sentence; "" while it is not.',
        "owed": f"How many events are still to be told, counted to {grouped(COUNTED_MAX)}.",
        "owed_since": "When the oldest of those happened.",
        "old_secret_until": "Until when the secret before signs, too.",
        "created_at": "When it was added.",
        "secret": "Where one was just made; else null.",
    },
    "SecretAnswer": {
        "secret": "Signs from now on. Told this once.",
        "old_secret_until": "Until when those before sign, too.",
    },
    "DeliveriesAnswer": {"items": _PAGE, "next": _NEXT},
    "DeliveryAnswer": {
        "id": "Its place in the list.",
        "event": "The event's id, as `webhook-id` names it.",
        "type": "What happened.",
        "at": "When it happened.",
        "shipment_id": "Bilty's own number of the shipment.",
        "shipment_number": "The shipment's number.",
        "state": "given_up is one that failed for 3 days.",
        "tries": "How often it was sent.",
        "first_try_at": "null before the first try.",
        "last_try_at": "null before the first try.",
        "status": "What the receiver answered last.",
        "why": "What was wrong with the last try.",
        "next_try_at": "null while it waits behind another of its shipment.",
    },
    "ReplayAnswer": {"deliveries": "How many are new."},
    "EventMessage": {
        "type": "What happened.",
        "timestamp": "When it happened.",
        "data": "What it happened to.",
    },
    "EventData": {
        "event": "The event's id, as `webhook-id` names it.",
        "shipment": "As it was when it happened.",
    },
    "EventShipment": {
        "id": _OWN_NUMBER,
        "number": "Its number, once in its facility.",
        "order_number": _ORDER_NUMBER,
        "facility": _FACILITY,
        "shipping_provider": _PROVIDER,
        "status": "Where it stood, in the words of ShipmentAnswer's status.",
        "run": "Which booking this is of: 0 before the first.",
        "version": "Which version of the shipment this is of: a label of an earlier one is void.",
        "courier": "Who had the shipment, or was being asked for it.",
        "awb": _AWB,
        "void_awb": "What was its AWB until this change, and is being cancelled; null where there was none.",
        "boxes": "Each box is one, in their order.",
        "label_url": "Opens the label's PDF without a key, until `label_expires_at`; null while there is none.",
        "label_expires_at": "Until when `label_url` opens it. The link is made anew each time the event is sent.",
        "papers_url": "Opens box stickers and packing slips, as `label_url` opens the label, where the connector says "
        "Packslip Required; else null.",
        "problem": "Why it waited for a person or failed; null where it did not.",
    },
    "EventCourier": _COURIER,
    "EventBox": _BOX,
}
_BULK: dict[str, dict[str, str]] = {
    "RowTaken": {
        **_ROW,
        "result": "same: it was known, and is as it was.",
        "id": _OWN_NUMBER,
        "number": "The shipment's number.",
        "facility": _FACILITY,
        "status": "Where it stands.",
        "awb": _AWB,
        "label_url": "Where its label is, with the same key; null while there is none.",
        "problem": _WHY,
        "warnings": _WARNINGS,
    },
    "RowRefused": {
        **_ROW,
        "result": "refused: nothing of it was kept.",
        "id": "Of the shipment that has this number with other content; else null.",
        "number": "As far as it could be read.",
        "type": "As a problem's.",
        "detail": "What is wrong, and what to do.",
        "errors": "Each faulty field.",
    },
}
ABOUT = {
    **_SHIPMENTS,
    **deciding.ABOUT,
    **ewaybill_fields.ABOUT,
    **documents.ABOUT,
    **_SETTING_UP,
    **_HAND_OFF,
    **_BULK,
    **bulk_fields.ABOUT,
    **problem_fields.ABOUT,
}
