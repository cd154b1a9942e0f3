"""The panel and the API: requests in, rows written, sentences out. A request never calls a courier.

Where things are
----------------
- **The application**: `app` has every route, `headers` what each answer carries, `problems` each that goes wrong.
- **The API's HTTP**: `api/` and `bulk/` the routes, `describe/` and `reference` what they promise, `uniware/` another's
  contract; `keys` and `limits` who may ask and how often; `asking`, `etags`, `idempotency` what a request says, and
  `documents`, `decision_documents`, `endpoint_documents`, `ewaybill_documents`, `attachment_documents`, `refusing`
  what it is answered;
  `label_links` labels without a key, `papers` what is made for them.
- **What a process shares**: `tools`, handed in once; `changes` who hears of what, `waiting` for the API and `live` for
  pages; `arriving` keeps shipments together; `health`, and `first_link` for the first admin.
- **Signing in**: `sessions`, `sign_in`, `passwords`, `people`, `account`.
- **Pages**: `today`, `attention` with `books`, `listing`, `shipment`, `settings_pages/`; `new_shipment` and `editing`,
  whose form is `filling_in`; `acting` and `act_forms` for the buttons; `page`, `forms`, `where` for all of them;
  `pictures` and `draw_page` for labels.
- **Handover**: `handover`, what leaves with one truck, scanned box by box.
- **E-way bills**: `ewaybills`, the form of one shipment and the file for many.
- **Documents of a shipment**: `attachments`. **Consignees saved once**: `saved_consignees`.
- **Order files**: `importing` the routes, `import_page` one import, `import_words` what they say, `import_template`
  what is handed out to be filled in.
- **Jobs' pages**: `jobs`, and `job_sure` which asks first.
- **Words of pages**, which ask no database: `rows`, `day`, `history`, `carried`, `deliveries`, `job_words`,
  `list_links`, `shipment_form`, `shipment_document`, `shipment_typed`, `blames`, `stored_key`; `handing_off` for API
  and pages alike.
"""

from bilty.web.app import make_app, state_of
from bilty.web.changes import Changes
from bilty.web.tools import WebTools

__all__ = ["Changes", "WebTools", "make_app", "state_of"]
