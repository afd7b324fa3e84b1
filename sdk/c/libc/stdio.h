/* Says why it is not there. */
#error "an actor has no files and no printf: theater_text.h writes text and numbers, theater_log logs"
