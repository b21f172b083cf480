"""The ledger over HTTP: receipts for those whose uses they prove, and the signed head."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from likeness.service.uses.receipts import receipt_for
from likeness.v1.acts import RowsHere, Somebody

ledger = APIRouter(prefix="/v1", tags=["ledger"])

_RECEIPT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}}}}
_NOTE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}


@ledger.get("/receipts/{receipt_id}", response_class=Response, responses=_RECEIPT)
def show_receipt(receipt_id: str, rows: RowsHere, somebody: Somebody) -> Response:
    """Give a receipt, which `likeness ledger verify` checks offline."""
    return Response(
        receipt_for(rows.ledger, somebody, receipt_id).to_json(), media_type="application/json"
    )


@ledger.get("/checkpoint", response_class=Response, responses=_NOTE)
def show_checkpoint(rows: RowsHere, somebody: Somebody) -> Response:
    """Give the signed head of the ledger, to be kept where nobody here can change it."""
    return Response(rows.ledger.checkpoint(), media_type="text/plain")
