/** An address that means nothing here. */
import { useTitle } from "../app/title";
import { address, place } from "../app/router";
import { Empty } from "../parts/states";

export default function Lost() {
  useTitle("Nothing here");
  return (
    <div class="page">
      <Empty title="There is no page at this address">
        <p>
          <code>/{place.value.path}</code>
        </p>
        <a class="button" href={address("")}>
          All experiments
        </a>
      </Empty>
    </div>
  );
}
