"""The ledger over HTTP: receipts for those whose uses they prove, and the signed head."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from likeness.v1.acts import Caller, Offered

ledger = APIRouter(prefix="/v1", tags=["ledger"])

_RECEIPT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}}}}
_NOTE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}


@ledger.get("/receipts/{receipt_id}", response_class=Response, responses=_RECEIPT)
def show_receipt(receipt_id: str, acts: Offered, caller: Caller) -> Response:
    """Give a receipt, which `likeness ledger verify` checks offline."""
    return Response(acts.receipt(caller, receipt_id), media_type="application/json")


@ledger.get("/checkpoint", response_class=Response, responses=_NOTE)
def show_checkpoint(acts: Offered, caller: Caller) -> Response:
    """Give the signed head of the ledger, to be kept where nobody here can change it."""
    return Response(acts.checkpoint(), media_type="text/plain")
