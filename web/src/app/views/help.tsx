// What the keys do.
import { Dialog } from "../ui/dialog";

const GROUPS: [string, [string, string][]][] = [
    ["Everywhere", [
        ["?", "This help"],
        ["/", "To the search field"],
        ["g a", "Actors"],
        ["g c", "Components"],
        ["g p", "Performance"],
        ["g v", "Verify a file"],
        ["t", "Light or dark"],
        ["Esc", "Close, or go back a step"],
    ]],
    ["Lists", [
        ["j  ↓", "Next row"],
        ["k  ↑", "Row before"],
        ["Page Up  Page Down", "A screen"],
        ["Home  End", "First and last row"],
        ["Enter", "Open the row"],
        ["n", "Start an actor"],
    ]],
    ["An actor", [
        ["1 … 5", "Chain, State, Send, Verify, About"],
        ["[  ]", "Element before, next element"],
        ["f", "Follow the end of the chain"],
        [":", "Go to a sequence"],
        ["s", "The state after this element"],
        ["c", "Back to this element in the chain"],
        ["r", "Run this turn again"],
        ["v", "Verify the chain, or an element's proof"],
    ]],
];

export function Help({ onClose }: { onClose: () => void }) {
    return (
        <Dialog title="Keys" onClose={onClose} wide>
            <div class="help">
                {GROUPS.map(([title, keys]) => (
                    <section key={title}>
                        <h3>{title}</h3>
                        <dl>
                            {keys.map(([key, what]) => (
                                <div key={key}>
                                    <dt>{key.split("  ").map((one) => <kbd key={one}>{one}</kbd>)}</dt>
                                    <dd>{what}</dd>
                                </div>
                            ))}
                        </dl>
                    </section>
                ))}
            </div>
        </Dialog>
    );
}
