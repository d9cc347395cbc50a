select oops from wrong
