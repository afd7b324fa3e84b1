// What the page and the worker say to each other.
import type { BundleSource, Hex, Progress, ProofReport, Report, VerifyErrorKind } from "./types";

export type Task =
    | { do: "bundle"; source: BundleSource; keys: string[] }
    | { do: "proof"; text: string; key: string | null; element: Hex | null }
    | { do: "state-root"; state: Uint8Array };

/** The result of each kind of task. */
export type TaskResult<K extends Task["do"]> = K extends "bundle" ? Report : K extends "proof" ? ProofReport : Hex;

/** To the worker. A task is known by its id, by which it can be cancelled. */
export interface Order {
    id: number;
    task: Task | { do: "cancel" };
}

/** To the page. */
export type Answer =
    | { id: number; is: "progress"; progress: Progress }
    | { id: number; is: "result"; result: Report | ProofReport | Hex }
    | { id: number; is: "error"; kind: VerifyErrorKind; message: string };
