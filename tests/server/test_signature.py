"""Signatures against the published aws4 test suite, and against what botocore signs."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from likeness.access import Credential
from likeness.server import Head
from likeness.server.errors import SignatureInvalid, Unauthenticated
from likeness.server.signature import read_claim, sign, verify, verify_head
from likeness.terms import Principal, Role

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
EMPTY = hashlib.sha256(b"").hexdigest()
FORM = ("content-type", "application/x-www-form-urlencoded")
PRINCIPAL = Principal("key:1", Role.CLIENT)


@dataclass
class Keys:
    """One key, enabled or not."""

    enabled: bool = True

    def find(self, access_key_id: str) -> Credential | None:
        if access_key_id != KEY_ID:
            return None
        return Credential(SECRET, PRINCIPAL, self.enabled)


def request(
    method: str = "GET",
    path: str = "/",
    query: str = "",
    *more: tuple[str, str],
    signature: str = "0" * 64,
    credential: str = f"{KEY_ID}/20150830/us-east-1/service/aws4_request",
) -> Head:
    """A request as the suite writes them, signed with all its headers."""
    headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z"), *more]
    signed = ";".join(sorted({name for name, _ in headers}))
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
    )
    return Head(method, path, query, [*headers, ("authorization", authorization)])


def signed(head: Head, body: bytes = b"") -> str:
    return sign(head, read_claim(head, "service", THEN), hashlib.sha256(body).hexdigest(), SECRET)


UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUITE = {
    "get-vanilla": (
        request(),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-vanilla-empty-query-key": (
        request("GET", "/", "Param1=value1"),
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    "get-vanilla-query-order-key-case": (
        request("GET", "/", "Param2=value2&Param1=value1"),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-vanilla-query-unreserved": (
        request("GET", "/", f"{UNRESERVED}={UNRESERVED}"),
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    "get-vanilla-utf8-query": (
        request("GET", "/", "ሴ=bar"),
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    "get-unreserved": (
        request("GET", f"/{UNRESERVED}"),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "get-utf8": (
        request("GET", "/ሴ"),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    "get-space": (
        request("GET", "/example space/"),
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    "get-relative": (
        request("GET", "/example/.."),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-relative-relative": (
        request("GET", "/example1/example2/../.."),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-slash": (
        request("GET", "//"),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-slash-dot-slash": (
        request("GET", "/./"),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-slashes": (
        request("GET", "//example//"),
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    "get-slash-pointless-dot": (
        request("GET", "/./example"),
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    "get-header-key-duplicate": (
        request(
            "GET", "/", "", ("my-header1", "value2"), ("my-header1", "value2"),
            ("my-header1", "value1"),
        ),
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    "get-header-value-order": (
        request(
            "GET", "/", "", ("my-header1", "value4"), ("my-header1", "value1"),
            ("my-header1", "value3"), ("my-header1", "value2"),
        ),
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    "get-header-value-trim": (
        request("GET", "/", "", ("my-header1", " value1"), ("my-header2", ' "a   b   c"')),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "post-vanilla": (
        request("POST"),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "post-vanilla-query": (
        request("POST", "/", "Param1=value1"),
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    "post-header-key-sort": (
        request("POST", "/", "", ("my-header1", "value1")),
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    "post-header-value-case": (
        request("POST", "/", "", ("my-header1", "VALUE1")),
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("head", "signature"), SUITE.values(), ids=list(SUITE))
def test_signature_is_that_of_the_published_suite(head: Head, signature: str) -> None:
    assert signed(head) == signature


@pytest.mark.parametrize(
    ("content_type", "signature"),
    [
        (FORM, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        (
            ("content-type", "application/x-www-form-urlencoded; charset=utf8"),
            "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
        ),
    ],
    ids=["post-x-www-form-urlencoded", "post-x-www-form-urlencoded-parameters"],
)
def test_signature_of_a_body_is_that_of_the_published_suite(
    content_type: tuple[str, str], signature: str
) -> None:
    assert signed(request("POST", "/", "", content_type), b"Param1=value1") == signature


words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)


@pytest.mark.slow
@given(
    body=st.binary(max_size=100),
    query=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y/&=+é*~"])), max_size=3
    ),
    spoken=st.lists(words, max_size=3),
    region=st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True),
)
def test_whatever_botocore_signs_is_proven(
    body: bytes, query: list[tuple[str, str]], spoken: list[str], region: str
) -> None:
    sent = AWSRequest("POST", "http://127.0.0.1:8020/", data=body, params=dict(query))
    sent.headers["X-Amz-Target"] = "RekognitionService.ListFaces"
    sent.headers["X-Likeness-Case"] = "  ".join(spoken)
    SigV4Auth(Credentials(KEY_ID, SECRET), "rekognition", region).add_auth(sent)
    now = datetime.strptime(sent.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    headers = [(name.lower(), value) for name, value in sent.headers.items()]
    from_url = sent.prepare().url.partition("?")[2]
    head = Head("POST", "/", from_url, [("host", "127.0.0.1:8020"), *headers])
    claim = read_claim(head, "rekognition", now)
    assert claim.region == region
    assert verify(head, claim, hashlib.sha256(body).hexdigest(), Keys()).principal == PRINCIPAL
    with pytest.raises(SignatureInvalid, match="signature we calculated does not match"):
        verify(head, claim, hashlib.sha256(body + b"!").hexdigest(), Keys())


def refusal(head: Head, keys: Keys = Keys(), now: datetime = THEN) -> str:  # noqa: B008
    with pytest.raises(Unauthenticated) as caught:
        verify(head, read_claim(head, "service", now), EMPTY, keys)
    return f"{type(caught.value).__name__}: {caught.value}"


GENUINE = replace(request(), headers=request(signature=SUITE["get-vanilla"][1]).headers)


def without(name: str, head: Head = GENUINE) -> Head:
    return replace(head, headers=[header for header in head.headers if header[0] != name])


def with_header(name: str, *values: str) -> Head:
    return replace(
        without(name), headers=[*without(name).headers, *((name, value) for value in values)]
    )


def authorised(old: str, new: str) -> Head:
    (authorization,) = GENUINE.values("authorization")
    assert old in authorization
    return with_header("authorization", authorization.replace(old, new))


def test_the_genuine_request_is_proven() -> None:
    claim = read_claim(GENUINE, "service", THEN)
    assert verify(GENUINE, claim, EMPTY, Keys()) == Credential(SECRET, PRINCIPAL, True)


REFUSALS: dict[str, tuple[Head, str]] = {
    "no signature": (without("authorization"), "NotSigned"),
    "presigned": (
        replace(without("authorization"), query="X-Amz-Signature=0"),
        "SignatureIncomplete: Presigned",
    ),
    "two authorizations": (
        with_header("authorization", "AWS4-HMAC-SHA256 a", "AWS4-HMAC-SHA256 b"),
        "SignatureIncomplete: There are several Authorization headers",
    ),
    "basic": (with_header("authorization", "Basic eA=="), "SignatureIncomplete"),
    "asymmetric": (
        with_header("authorization", "AWS4-ECDSA-P256-SHA256 Credential=x"),
        "SignatureIncomplete: Signature Version 4A",
    ),
    "chunked": (
        with_header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        "SignatureIncomplete: Chunked",
    ),
    "unsigned payload": (
        with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        "SignatureInvalid: The value of X-Amz-Content-SHA256",
    ),
    "another body": (
        with_header("x-amz-content-sha256", hashlib.sha256(b"x").hexdigest()),
        "SignatureInvalid: The value of X-Amz-Content-SHA256",
    ),
    "no parameters": (
        with_header("authorization", "AWS4-HMAC-SHA256 x"),
        "SignatureIncomplete: Authorization header requires 'Credential' parameter."
        " Authorization header requires 'SignedHeaders' parameter."
        " Authorization header requires 'Signature' parameter.",
    ),
    "a parameter twice": (
        authorised("Signature=", "Signature=0, Signature="),
        "SignatureIncomplete: The Authorization header must have",
    ),
    "short credential": (authorised("/aws4_request", ""), "SignatureIncomplete"),
    "odd key": (authorised(KEY_ID, "a\x01b"), "SignatureIncomplete"),
    "other service": (
        authorised("/service/", "/s3/"),
        "SignatureInvalid: Credential should be scoped to correct service: 'service'.",
    ),
    "no region": (
        authorised("us-east-1", ""),
        "SignatureInvalid: Credential should be scoped to a valid region.",
    ),
    "other day": (
        authorised("20150830", "20150829"),
        "SignatureInvalid: Date in Credential scope does not match YYYYMMDD from ISO-8601"
        " version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
    ),
    "no date": (without("x-amz-date"), "SignatureIncomplete"),
    "two dates": (
        with_header("x-amz-date", "20150830T123600Z", "20150830T123600Z"),
        "SignatureIncomplete",
    ),
    "odd date": (with_header("x-amz-date", "20150830T123660Z"), "SignatureIncomplete"),
    "unsorted headers": (
        authorised("host;x-amz-date", "x-amz-date;host"),
        "SignatureIncomplete: SignedHeaders",
    ),
    "upper-case headers": (
        authorised("host;x-amz-date", "Host;x-amz-date"),
        "SignatureIncomplete: SignedHeaders",
    ),
    "unsigned host": (
        authorised("host;x-amz-date", "x-amz-date"),
        "SignatureInvalid: 'host' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "unsigned target": (
        with_header("x-amz-target", "RekognitionService.ListFaces"),
        "SignatureInvalid: 'x-amz-target' must be a 'SignedHeader'",
    ),
    "absent signed header": (
        authorised("host;x-amz-date", "host;my-header;x-amz-date"),
        "SignatureInvalid: The signed header 'my-header' is missing",
    ),
    "two hosts": (
        with_header("host", "a", "b"),
        "SignatureInvalid: The header 'host' came several times",
    ),
    "session token": (
        with_header("x-amz-security-token", "x"),
        "UnknownKey: The request has a session token",
    ),
    "short signature": (
        authorised("Signature=5f", "Signature="),
        "SignatureIncomplete: Signature",
    ),
    "unknown key": (
        authorised(KEY_ID, "AKIDNOBODY"),
        "UnknownKey: The security token included in the request is invalid.",
    ),
    "other signature": (
        authorised("Signature=5f", "Signature=50"),
        "SignatureInvalid: The request signature we calculated does not match the"
        " signature you provided. Check your AWS Secret Access Key and signing method. Consult the"
        " service documentation for details. The request came with Host 'example.amazonaws.com':"
        " a proxy must pass it on as it was signed.",
    ),
    "other method": (
        replace(GENUINE, method="POST"),
        "SignatureInvalid: The request signature we calculated",
    ),
}


@pytest.mark.parametrize(("head", "words"), REFUSALS.values(), ids=list(REFUSALS))
def test_what_is_not_signed_as_it_must_be_is_refused(head: Head, words: str) -> None:
    assert refusal(head).startswith(words)


def test_a_disabled_key_is_refused_as_an_unknown_one() -> None:
    assert refusal(GENUINE, Keys(enabled=False)) == refusal(REFUSALS["unknown key"][0])


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_may_be_five_minutes_off(minutes: int) -> None:
    now = THEN + timedelta(minutes=minutes)
    assert verify(GENUINE, read_claim(GENUINE, "service", now), EMPTY, Keys()).enabled


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (
            6,
            "SignatureInvalid: Signature expired: 20150830T123600Z is now earlier than"
            " 20150830T123700Z (20150830T124200Z - 5 min.)",
        ),
        (
            -6,
            "SignatureInvalid: Signature not yet current: 20150830T123600Z is still later"
            " than 20150830T123500Z (20150830T123000Z + 5 min.)",
        ),
    ],
)
def test_a_clock_further_off_is_refused(minutes: int, words: str) -> None:
    assert refusal(GENUINE, now=THEN + timedelta(minutes=minutes)) == words


def declaring(declared: str, secret: str = SECRET) -> Head:
    """A request that declares its body's hash, and is signed with that."""
    more = ("x-amz-content-sha256", declared)
    bare = request("POST", "/", "", more)
    signature = sign(bare, read_claim(bare, "service", THEN), declared, secret)
    return request("POST", "/", "", more, signature=signature)


def test_a_declared_hash_proves_the_sender_before_the_body_comes() -> None:
    head = declaring(hashlib.sha256(b"body").hexdigest())
    claim = read_claim(head, "service", THEN)
    assert verify_head(head, claim, Keys())
    assert verify(head, claim, hashlib.sha256(b"body").hexdigest(), Keys())
    with pytest.raises(SignatureInvalid, match="is not the hash of the body"):
        verify(head, claim, hashlib.sha256(b"another").hexdigest(), Keys())


def test_without_a_declared_hash_the_head_alone_is_no_proof() -> None:
    head = request("POST", "/")
    assert not verify_head(head, read_claim(head, "service", THEN), Keys())


@pytest.mark.parametrize(
    ("head", "keys", "words"),
    [
        (declaring(EMPTY, "another secret"), Keys(), "does not match the signature"),
        (declaring("UNSIGNED-PAYLOAD"), Keys(), "must be the hash of the body"),
        (declaring(EMPTY.upper()), Keys(), "must be the hash of the body"),
        (declaring(""), Keys(), "must be the hash of the body"),
        (declaring(EMPTY), Keys(enabled=False), "security token"),
        (request("POST", "/"), Keys(enabled=False), "security token"),
    ],
)
def test_what_cannot_be_genuine_is_refused_by_its_head(head: Head, keys: Keys, words: str) -> None:
    with pytest.raises(Unauthenticated, match=words):
        verify_head(head, read_claim(head, "service", THEN), keys)
