"""Sign up and sign in, as the pichr surface documents them."""

from fastapi import APIRouter, Depends, Response

from darkroom.auth.api.bodies import SmallBodyRoute
from darkroom.auth.api.schemas import LoginRequest, SignedInView, SignUpRequest, WelcomeView
from darkroom.auth.operations.accounts import sign_in, sign_up
from darkroom.auth.wiring import Now, PersonPassport, Wired
from darkroom.platform.db.session import Session


def forbid_storing(response: Response) -> None:
    """Keep caches away from replies that carry tokens or keys."""
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(
    prefix="/api/v1/auth",
    tags=["accounts"],
    route_class=SmallBodyRoute,
    dependencies=[Depends(forbid_storing)],
)


@router.post("/signup", status_code=201, operation_id="signUp")
async def sign_up_person(
    _caller: PersonPassport, body: SignUpRequest, wired: Wired, session: Session, now: Now
) -> WelcomeView:
    """Make an account and sign it in; the reply also holds a test key, shown this once."""
    welcome = await sign_up(
        session,
        body.wanted(),
        hasher=wired.hasher,
        issuer=wired.issuer,
        admin_email=wired.admin_email,
        now=now,
    )
    return WelcomeView.welcoming(welcome)


@router.post("/login", operation_id="logIn")
async def log_in(
    _caller: PersonPassport, body: LoginRequest, wired: Wired, now: Now
) -> SignedInView:
    """Sign in with an e-mail address and a password."""
    signed_in = await sign_in(
        wired.sessions,
        email=body.email,
        password=body.password.get_secret_value(),
        hasher=wired.hasher,
        issuer=wired.issuer,
        now=now,
    )
    return SignedInView.of(signed_in)
