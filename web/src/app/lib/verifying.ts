// The one verifier of the page: its worker starts with the first task.
import { Verifier } from "../../verify/api";
import { token } from "./api";

export const verifier = new Verifier();

/** `fetch` with the page's token. */
export const fetcher: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    if (token.value) headers.set("Authorization", `Bearer ${token.value}`);
    return fetch(input, { ...init, headers });
};
