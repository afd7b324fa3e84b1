module actor

go 1.24

require theater.local/theater v0.0.0

// Placed there by `theater new` and `theater build`.
replace theater.local/theater => ./.theater/go
