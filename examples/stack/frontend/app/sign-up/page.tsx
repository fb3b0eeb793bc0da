import { AccountForm } from "@/components/account-form";
import { Frame } from "@/components/frame";

export const metadata = { title: "Sign up" };

export default function Page() {
  return (
    <Frame at="/sign-up">
      <AccountForm isNew={true} />
    </Frame>
  );
}
