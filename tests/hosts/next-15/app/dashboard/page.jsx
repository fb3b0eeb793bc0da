import { Suspense } from "react";
import { about } from "../about.js";

const Who = async () => <p>{await about("dashboard")}</p>;

export default function Page() {
  return (
    <Suspense>
      <Who />
    </Suspense>
  );
}
