"""What is done by a mailed code, by whoever has it: no access token is needed, one that is sent is not looked at."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status, viewsets
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.serializers import EmailBody, ResetPasswordBody, VerifyEmailBody
from core.addresses import client_address
from core.serializers import read_body

_EMAIL = {"email": "alice@example.com"}
_CODE = _EMAIL | {"code": "7K3M-X0QD"}


@extend_schema(tags=["auth"])
class CodeViewSet(viewsets.ViewSet):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "login"

    @extend_schema(
        summary="Verify an e-mail address",
        description="The code came by mail, after the registration or when it was asked for again.",
        request=VerifyEmailBody,
        examples=[OpenApiExample("The code of a mail", _CODE, request_only=True)],
        responses={204: None},
    )
    def verify_email(self, request: Request) -> Response:
        services.verify_email(**read_body(VerifyEmailBody, request), address=client_address(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Mail the code for my e-mail address again",
        description="The answer is the same for addresses that nobody has, or that are verified. Ends the code before.",
        request=EmailBody,
        examples=[OpenApiExample("My address", _EMAIL, request_only=True)],
        responses={202: None},
    )
    def resend_verification(self, request: Request) -> Response:
        services.resend_verification(**read_body(EmailBody, request), address=client_address(request))
        return Response(status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Mail a code for a new password",
        description="The answer is the same for addresses that nobody has. Ends the code before.",
        request=EmailBody,
        examples=[OpenApiExample("My address", _EMAIL, request_only=True)],
        responses={202: None},
    )
    def request_password_reset(self, request: Request) -> Response:
        services.request_password_reset(**read_body(EmailBody, request), address=client_address(request))
        return Response(status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Give myself a new password by a mailed code",
        description="Ends every session of mine, and closes their sockets: log in again.",
        request=ResetPasswordBody,
        examples=[
            OpenApiExample(
                "The code of a mail", _CODE | {"new_password": "worn-out-jumpy-tutor"}, request_only=True
            )
        ],
        responses={204: None},
    )
    def reset_password(self, request: Request) -> Response:
        services.reset_password(**read_body(ResetPasswordBody, request), address=client_address(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
