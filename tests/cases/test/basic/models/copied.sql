table other.thing
