// Tests of the redactor: what it must find, and what it must leave alone.
#include "schema/redact.hpp"

#include <gtest/gtest.h>

namespace coff::schema {
namespace {

std::string commit(std::string_view secret) { return "<" + std::to_string(secret.size()) + ">"; }

std::string arguments(const std::vector<std::string>& argv, const Redactor& redactor = Redactor()) {
  std::string joined;
  for (const std::string& each : redactor.redact_arguments(argv, commit)) {
    joined += joined.empty() ? each : "|" + each;
  }
  return joined;
}

std::string variable(const std::string& text) {
  return Redactor().redact_environment(std::vector<std::string>{text}, commit).front();
}

TEST(Redact, FindsSecretsByName) {
  EXPECT_EQ(variable("POSTGRES_PASSWORD=hunter2"), "POSTGRES_PASSWORD=<7>");
  EXPECT_EQ(variable("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            "AWS_SECRET_ACCESS_KEY=<40>");
  EXPECT_EQ(variable("GITHUB_TOKEN=abc"), "GITHUB_TOKEN=<3>");
  EXPECT_EQ(variable("STRIPE_API_KEY=abcdefgh"), "STRIPE_API_KEY=<8>");
  EXPECT_EQ(variable("authToken=zzzz"), "authToken=<4>");
  EXPECT_EQ(variable("DB_PWD=x=y"), "DB_PWD=<3>");
  EXPECT_EQ(variable("SESSION_KEY=a1b2c3d4e5"), "SESSION_KEY=<10>");
  EXPECT_EQ(arguments({"app", "--password=secret1", "-v"}), "app|--password=<7>|-v");
  EXPECT_EQ(arguments({"app", "--password=two words", "x"}), "app|--password=<9>|x");
  EXPECT_EQ(arguments({"app", "--password", "two words", "x"}), "app|--password|<9>|x");
  EXPECT_EQ(arguments({"app", "--db-password", "s3", "x"}), "app|--db-password|<2>|x");
  EXPECT_EQ(arguments({"env", "API_TOKEN=xyz", "app"}), "env|API_TOKEN=<3>|app");
}

TEST(Redact, KnowsPrograms) {
  EXPECT_EQ(arguments({"mysql", "-uroot", "-phunter2", "-P3306"}), "mysql|-uroot|-p<7>|-P3306");
  EXPECT_EQ(arguments({"/usr/bin/mysqldump", "-p", "shop"}), "/usr/bin/mysqldump|-p|shop");
  EXPECT_EQ(arguments({"curl", "-u", "bob:s3cret", "http://x"}), "curl|-u|bob:<6>|http://x");
  EXPECT_EQ(arguments({"sshpass", "-p", "abc", "ssh", "-p", "22", "h"}),
            "sshpass|-p|<3>|ssh|-p|22|h");
  EXPECT_EQ(arguments({"redis-cli", "-a", "topsecret", "ping"}), "redis-cli|-a|<9>|ping");
  EXPECT_EQ(arguments({"nmap", "-p80", "-p", "1-1000"}), "nmap|-p80|-p|1-1000");
}

TEST(Redact, LooksIntoCommandLines) {
  EXPECT_EQ(arguments({"sh", "-c", "mysql -uroot -phunter2 shop"}),
            "sh|-c|mysql -uroot -p<7> shop");
  EXPECT_EQ(arguments({"docker", "run", "-e", "DB_PASSWORD=abcd", "--env", "API_TOKEN=xyz12", "-e",
                       "PLAIN=abcd", "image"}),
            "docker|run|-e|DB_PASSWORD=<4>|--env|API_TOKEN=<5>|-e|PLAIN=abcd|image");
  EXPECT_EQ(arguments({"sh", "-c", "export DB_PASSWORD=abcd; ./run"}),
            "sh|-c|export DB_PASSWORD=<4>; ./run");
  EXPECT_EQ(arguments({"bash", "-c", "curl -H 'Authorization: Bearer abc.def' x"}),
            "bash|-c|curl -H 'Authorization: Bearer <7>' x");
  EXPECT_EQ(arguments({"sh", "-c", "echo $PASSWORD --password=$PASSWORD"}),
            "sh|-c|echo $PASSWORD --password=$PASSWORD");
}

TEST(Redact, FindsSecretsByContent) {
  const std::string jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
  EXPECT_EQ(arguments({"x", jwt}), "x|<" + std::to_string(jwt.size()) + ">");
  EXPECT_EQ(arguments({"x", "AKIAIOSFODNN7EXAMPLE"}), "x|<20>");
  EXPECT_EQ(arguments({"x", "ghp_" + std::string(36, 'a')}), "x|<40>");
  EXPECT_EQ(arguments({"psql", "postgres://app:pw123@db/shop"}), "psql|postgres://app:<5>@db/shop");
  EXPECT_EQ(arguments({"curl", "-H", "Authorization: Basic dXNlcjpwdw=="}),
            "curl|-H|Authorization: Basic <12>");
  EXPECT_EQ(arguments({"curl", "-H", "X-Vault-Token: s.abc"}), "curl|-H|X-Vault-Token: <5>");
  EXPECT_EQ(variable("PEM=-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"),
            "PEM=<66>\n");
  EXPECT_EQ(arguments({"pay", "4111111111111111"}), "pay|<16>");
  EXPECT_EQ(arguments({"pay", "--card=5500 0000 0000 0004"}), "pay|--card=<19>");
  EXPECT_EQ(arguments({"pay", "3782-822463-10005", "378282246310005"}),
            "pay|3782-822463-10005|<15>");
}

TEST(Redact, LeavesOrdinaryThingsAlone) {
  for (const char* text : {"PWD=/root/secret",
                           "OLDPWD=/tmp",
                           "POSTGRES_PASSWORD_FILE=/run/secrets/db",
                           "SSH_AUTH_SOCK=/tmp/ssh-x/agent.1",
                           "KEYBOARD=de-latin1-Nodeadkeys9",
                           "MONKEY=Banana1234",
                           "TOKENIZERS_PARALLELISM=false",
                           "SSH_PRIVATE_KEY=/root/.ssh/id_rsa",
                           "AWS_ACCESS_KEY_ID=x",
                           "SECRET=$OTHER",
                           "USE_TOKEN=true",
                           "GPG_KEY=short",
                           "PUBLIC_KEY=ssh-ed25519AAAA1234",
                           "PATH=/usr/bin:/bin",
                           "PASSWORD=",
                           "COMPASS=North",
                           "ORDER=4111111111111112",
                           "TS=1764000000000000000",
                           "ID=4111111111111111abc",
                           "V=4.111.111.111.111.111",
                           "UUID=41111111-1111-1111-1111-111111111111",
                           "URL=https://host:8080/a@b",
                           "AKIA=AKIAshort",
                           "LS_COLORS=rs=0:di=01;34",
                           "JWT=eyJ",
                           "NOEQUALS",
                           "=odd",
                           ""}) {
    EXPECT_EQ(variable(text), text);
  }
  EXPECT_EQ(arguments({"sort", "--key=2", "--key", "3"}), "sort|--key=2|--key|3");
  EXPECT_EQ(arguments({"docker", "login", "--password-stdin", "reg"}),
            "docker|login|--password-stdin|reg");
  EXPECT_EQ(arguments({"ffmpeg", "-pass", "1", "a.mp4"}), "ffmpeg|-pass|1|a.mp4");
  EXPECT_EQ(arguments({"llm", "--max-tokens", "4096"}), "llm|--max-tokens|4096");
  EXPECT_EQ(arguments({"app", "--password", "--verbose"}), "app|--password|--verbose");
  EXPECT_EQ(arguments({"git", "commit", "-m", "fix: token refresh"}),
            "git|commit|-m|fix: token refresh");
}

TEST(Redact, ObeysConfiguredNames) {
  const Redactor redactor({.secret_names = {"*_dsn"}, .public_names = {"demo-password"}});
  EXPECT_EQ(arguments({"x", "SENTRY_DSN=abc", "--demo-password=abc"}, redactor),
            "x|SENTRY_DSN=<3>|--demo-password=abc");
}

TEST(Redact, SurvivesHostileInput) {
  const std::string_view pieces[] = {"\"",   "'",    "=",       "-",
                                     "--",   ":",    "://",     "@",
                                     "\n",   " ",    "eyJ",     "-----BEGIN PRIVATE KEY-----",
                                     "4111", "\xff", "password"};
  std::string text;
  unsigned state = 1;
  for (int round = 0; round < 3000; ++round) {
    state = state * 1103515245U + 12345U;
    text += pieces[(state >> 16) % std::size(pieces)];
    if (text.size() > 120) text.clear();
    const std::string same = [&] {
      std::string joined;
      const auto keep = [](std::string_view secret) { return std::string(secret); };
      for (const auto& each :
           Redactor().redact_arguments(std::vector<std::string>{"mysql", text, text}, keep)) {
        joined += each;
      }
      return joined;
    }();
    ASSERT_EQ(same, "mysql" + text + text);
  }
}

}  // namespace
}  // namespace coff::schema
