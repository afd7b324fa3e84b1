/* Says why it is not there. */
#error "an actor has one thread"
