/* Says why it is not there. */
#error "there are no locales in an actor"
