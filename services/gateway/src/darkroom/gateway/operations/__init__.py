"""What the front door does before it forwards: tell who calls, and vouch for them."""
