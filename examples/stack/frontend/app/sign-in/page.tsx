import { AccountForm } from "@/components/account-form";
import { Frame } from "@/components/frame";

export const metadata = { title: "Sign in" };

export default function Page() {
  return (
    <Frame at="/sign-in">
      <AccountForm isNew={false} />
    </Frame>
  );
}
