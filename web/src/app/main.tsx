import { render } from "preact";

render(<main>Theater</main>, document.getElementById("app")!);
