"""Errors as HTTP answers."""

import errno
import json

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core.errors import CATALOGUE, MAX_ERRORS, FieldError, InternalError, RateLimited, ValidationFailed
from core.problems import exception_handler, problem_response

LOGIN, ME = "/api/v1/auth/login", "/api/v1/users/me"

KEYS = {
    "type",
    "title",
    "status",
    "code",
    "detail",
    "retryable",
    "request_id",
    "errors",
    "retry_after",
}

# Section 1 of the protocol: the closed list, with the three that only the socket says, and 426.
CODES = {
    400: "validation_error malformed_json invalid_parameter unknown_field invalid_frame unknown_type",
    401: "not_authenticated token_invalid token_expired session_revoked invalid_credentials auth_required",
    403: "forbidden account_suspended muted room_locked blocked email_not_verified",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict already_exists already_friends request_exists already_member last_owner "
    "idempotency_conflict edit_window_closed not_pending",
    411: "length_required",
    413: "too_large",
    415: "unsupported_media_type",
    426: "upgrade_required",
    429: "rate_limited",
    500: "internal_error",
    502: "storage_unavailable",
    503: "unavailable",
}


@pytest.fixture
def request_():
    request = APIRequestFactory().get("/")
    request.request_id = "r-1"
    return request


def is_problem(response, status, code):
    body = json.loads(response.content)
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert set(body) == KEYS
    assert body["type"] == f"/problems/{code}"
    assert body["request_id"] == response["X-Request-Id"]
    return body


class TestCatalogue:
    def test_it_is_the_closed_list(self):
        expected = {code: status for status, codes in CODES.items() for code in codes.split()}
        assert {code: cls.status for code, cls in CATALOGUE.items()} == expected

    @pytest.mark.parametrize("code", CATALOGUE)
    def test_every_error_has_the_shape(self, request_, code):
        response = problem_response(request_, CATALOGUE[code]())
        body = json.loads(response.content)
        assert set(body) == KEYS
        assert (body["status"], body["code"], body["request_id"]) == (response.status_code, code, "r-1")
        assert body["title"]
        assert body["detail"]
        assert body["errors"] == []
        assert body["retryable"] is (
            code in {"rate_limited", "internal_error", "storage_unavailable", "unavailable"}
        )
        assert ("WWW-Authenticate" in response) is (response.status_code == 401)

    def test_broken_rules_are_told_up_to_a_number(self, request_):
        rules = [FieldError("a.b", "max_length", "Too long.")] * (MAX_ERRORS + 5)
        body = json.loads(problem_response(request_, ValidationFailed(errors=rules)).content)
        assert body["errors"] == [{"attr": "a.b", "code": "max_length", "detail": "Too long."}] * MAX_ERRORS

    @pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (1.4, "2"), (7.6, "8")])
    def test_waiting_times_are_whole_seconds_in_the_header(self, request_, seconds, header):
        response = problem_response(request_, RateLimited(retry_after=seconds))
        assert response["Retry-After"] == header
        assert json.loads(response.content)["retry_after"] == seconds


class TestHandler:
    @pytest.mark.parametrize(
        ("exception", "code"),
        [
            (drf.NotAuthenticated(), "not_authenticated"),
            (drf.AuthenticationFailed("secret"), "token_invalid"),
            (drf.PermissionDenied("secret"), "forbidden"),
            (drf.NotFound("secret"), "not_found"),
            (Http404("secret"), "not_found"),
            (drf.MethodNotAllowed("secret"), "method_not_allowed"),
            (drf.UnsupportedMediaType("secret"), "unsupported_media_type"),
            (drf.ParseError("secret"), "malformed_json"),
            (drf.Throttled(wait=3), "rate_limited"),
            (OperationalError("secret"), "unavailable"),
            (InterfaceError("secret"), "unavailable"),
            (OSError(errno.EMFILE, "secret"), "unavailable"),
            (OSError(errno.ENOENT, "secret"), "internal_error"),
            (InternalError(), "internal_error"),
        ],
    )
    def test_what_a_view_raises_is_told_by_the_catalogue(self, request_, exception, code):
        response = exception_handler(exception, {"request": Request(request_)})
        assert (response.data.code, response.data.status) == (code, response.status_code)
        assert response.data.request_id == "r-1"
        assert "secret" not in response.data.detail

    @pytest.mark.parametrize("exception", [RuntimeError("secret"), DatabaseError("secret")])
    def test_a_bug_is_told_by_its_code_only(self, request_, exception):
        response = exception_handler(exception, {"request": Request(request_)})
        assert (response.status_code, response.data.code) == (500, "internal_error")
        assert "secret" not in response.data.detail

    def test_nested_rules_are_flat(self, request_):
        detail = {"a": {"b": ["Wrong."]}, "list": {1: {"c": ["Wrong."]}}, "non_field_errors": ["Wrong."]}
        response = exception_handler(drf.ValidationError(detail), {"request": Request(request_)})
        assert [rule.attr for rule in response.data.errors] == ["a.b", "list.1.c", ""]


class TestAnswers:
    def test_404_where_no_path_is(self, client):
        is_problem(client.get("/api/v1/nothing"), 404, "not_found")

    def test_405(self, db, client):
        is_problem(client.get(LOGIN), 405, "method_not_allowed")

    def test_401(self, db, client):
        response = client.get(ME)
        is_problem(response, 401, "not_authenticated")
        assert response["WWW-Authenticate"] == "Bearer"

    def test_400_tells_every_rule(self, db, anonymous):
        body = is_problem(anonymous.post(LOGIN, {}), 400, "validation_error")
        assert {(rule["attr"], rule["code"]) for rule in body["errors"]} == {
            ("login", "required"),
            ("password", "required"),
        }

    @pytest.mark.parametrize("body", ["[]", "5", '"x"', "null", "true"])
    def test_400_where_the_body_is_no_object(self, db, client, body):
        is_problem(client.post(LOGIN, body, content_type="application/json"), 400, "validation_error")

    @pytest.mark.parametrize("body", ["{", "NaN", '{"a":1,"a":2}', "[" * 10_000, '{"login": 1e999}'])
    def test_400_where_it_is_no_json(self, db, client, body):
        is_problem(client.post(LOGIN, body, content_type="application/json"), 400, "malformed_json")

    def test_400_where_text_cannot_be_stored(self, db, client):
        response = client.post(LOGIN, '{"\\ud800": "\\ud800"}', content_type="application/json")
        is_problem(response, 400, "validation_error")

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"{}", "text/plain"),
            (b"{}", "application/x-www-form-urlencoded"),
            (b"{}", "multipart/form-data; boundary=x"),
            (b"{}", "application/json; charset=latin-1"),
            (b'{"login": "\xff"}', "application/json"),
        ],
    )
    def test_415(self, db, client, body, content_type):
        response = client.generic("POST", LOGIN, body, content_type=content_type)
        is_problem(response, 415, "unsupported_media_type")

    def test_413(self, client, settings):
        settings.MAX_BODY_BYTES = 1000
        body = json.dumps({"login": "x" * 1000})
        is_problem(client.post(LOGIN, body, content_type="application/json"), 413, "too_large")

    @pytest.mark.parametrize("length", ["1048577", "9" * 5000, "-1", "abc"])
    def test_413_by_the_announced_length(self, client, length):
        response = client.post(LOGIN, "{}", content_type="application/json", CONTENT_LENGTH=length)
        is_problem(response, 413, "too_large")

    def test_411(self, client):
        response = client.post(
            LOGIN, "{}", content_type="application/json", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked"
        )
        is_problem(response, 411, "length_required")

    def test_500_tells_nothing(self, db, client, monkeypatch):
        def broken(*args, **kwargs):
            raise RuntimeError("secret")

        monkeypatch.setattr("accounts.tokens.live_user", broken)
        monkeypatch.setattr("accounts.tokens.read_access", lambda _: {"sid": "x"})
        client.raise_request_exception = False
        response = client.get(ME, HTTP_AUTHORIZATION="Bearer x")
        is_problem(response, 500, "internal_error")
        assert b"secret" not in response.content

    def test_503_where_no_view_was_reached(self, client, monkeypatch):
        def away(*args, **kwargs):
            raise OperationalError("secret")

        monkeypatch.setattr("core.throttles.headers_of", away)
        client.raise_request_exception = False
        response = client.get("/api/v1/nothing")
        is_problem(response, 503, "unavailable")
        assert b"secret" not in response.content

    def test_one_trailing_slash_is_accepted(self, db, anonymous):
        is_problem(anonymous.post(f"{LOGIN}/", {}), 400, "validation_error")
        is_problem(anonymous.post(f"{LOGIN}//", {}), 404, "not_found")

    @pytest.mark.parametrize("accept", ["text/html", "image/png", "*/*", "nonsense"])
    def test_json_whatever_is_accepted(self, db, client, accept):
        is_problem(client.get(ME, HTTP_ACCEPT=accept), 401, "not_authenticated")


class TestRequestId:
    def test_a_given_one_comes_back(self, db, client):
        response = client.get(ME, HTTP_X_REQUEST_ID="abc-1.2:3_x")
        assert response["X-Request-Id"] == "abc-1.2:3_x"
        assert response.json()["request_id"] == "abc-1.2:3_x"

    @pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\x1b[31m", "é", "a\nb", "<script>"])
    def test_an_odd_one_is_replaced(self, db, client, given):
        response = client.get(ME, HTTP_X_REQUEST_ID=given)
        assert response["X-Request-Id"] != given
        assert len(response["X-Request-Id"]) == 36

    def test_answers_that_are_no_errors_have_one_too(self, alice, client_of):
        assert client_of(alice).get(ME, HTTP_X_REQUEST_ID="mine")["X-Request-Id"] == "mine"
