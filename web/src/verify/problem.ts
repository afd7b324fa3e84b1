import type { VerifyErrorKind } from "./types";

/** Why there is no verdict, within the worker; the page gets it as a `VerifyError`. */
export class Failure extends Error {
    constructor(readonly kind: VerifyErrorKind, message: string) {
        super(message);
    }
}
