"""Every bound of intake with its unit. Boxes' own bounds stand beside `Box`, because documents rely on them too."""

from datetime import date, timedelta
from decimal import Decimal

# Characters
NUMBER_CHARS_MAX = 30
CODE_CHARS_MAX = 40
ORDER_NUMBER_CHARS_MAX = 50
INVOICE_NUMBER_CHARS_MAX = 50
PURCHASE_ORDER_NUMBER_CHARS_MAX = 50
NAME_CHARS_MAX = 100
ORGANISATION_CHARS_MAX = 100
ADDRESS_CHARS_MAX = 500
CITY_CHARS_MAX = 50
STATE_CHARS_MAX = 50
EMAIL_CHARS_MAX = 100
SKU_CHARS_MAX = 100
DESCRIPTION_CHARS_MAX = 100
APPOINTMENT_ID_CHARS_MAX = 50
LOCATION_CODE_CHARS_MAX = 50
TIME_ZONE_CHARS_MAX = 50
USERNAME_CHARS_MAX = 100
KEY_CHARS_MAX = 100
PHONE_CHARS_MAX = 40

# Digits
PINCODE_DIGITS = 6
EWAYBILL_DIGITS = 12
PHONE_DIGITS = range(10, 13)

# How many
INVOICES_MAX = 100
PURCHASE_ORDERS_MAX = 100
ITEMS_PER_BOX_MAX = 1_000
ITEMS_PER_SHIPMENT_MAX = 5_000
"""Counted box by box: 999 boxes of a thousand items each would be a shipment of 48 MB."""
QUANTITY_MAX = 1_000_000
RUN_MAX = 1_000_000
FAULTS_MAX = 200
"""A document may hold more faults than anybody reads; telling stops here, so that nonsense stays cheap."""

# Rupees
MONEY_MAX = Decimal("999999999.99")
ROUND_OFF_MAX = Decimal("1.00")
"""An invoice's total is customarily rounded to a whole rupee."""

# Days
INVOICE_DAYS_AHEAD_MAX = 1
APPOINTMENT_MAX = timedelta(days=1)
DAY_MIN, DAY_MAX = date(2000, 1, 1), date(2099, 12, 31)

# Characters of a value that are shown back
SHOWN_CHARS_MAX = 80
