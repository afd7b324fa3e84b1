// A search through a chain: the server filters and looks at a bounded number of elements for each request.
import { signal } from "@preact/signals";
import { api, type Filter } from "./api";
import { type Row, rowOf } from "./chain";

const PAGE = 200;
/** More hits than this are not kept; a narrower filter finds the rest. */
const HITS_MAX = 20_000;

export class Search {
    readonly hits = signal<Row[]>([]);
    readonly running = signal(false);
    readonly error = signal<unknown>(null);
    /** Where it stands: the element it goes on with; null at the end. */
    readonly at = signal<number | null>(null);
    readonly done = signal(false);
    private readonly controller = new AbortController();
    private started = false;

    constructor(
        readonly name: string,
        readonly filter: Filter,
        readonly reverse: boolean,
    ) {}

    /** Goes on until `more` further hits are here, or the end is. */
    async find(more = PAGE): Promise<void> {
        if (this.running.value || this.done.value) return;
        this.running.value = true;
        const goal = this.hits.value.length + more;
        try {
            while (this.hits.value.length < goal && !this.done.value) {
                const page = await api.search(this.name, this.filter, this.started ? this.at.value : null, this.reverse, PAGE, this.controller.signal);
                this.started = true;
                this.at.value = page.next;
                if (page.elements.length) this.hits.value = [...this.hits.value, ...page.elements.map(rowOf)].slice(0, HITS_MAX);
                if (page.next === null || this.hits.value.length >= HITS_MAX) this.done.value = true;
            }
            this.error.value = null;
        } catch (error) {
            if (!this.controller.signal.aborted) this.error.value = error;
        } finally {
            this.running.value = false;
        }
    }

    close(): void {
        this.controller.abort();
    }
}
