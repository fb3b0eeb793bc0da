"""An API that knows its users by what others have signed: no cookie, no session store, no secret."""
