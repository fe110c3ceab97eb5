// The published schemas as tables: which members an object has, and of what sort.
#include "playbook/shapes.hpp"

namespace coff::playbook {
namespace {

constexpr std::string_view kTypePlaybook[] = {"playbook"};
constexpr std::string_view kVersion[] = {"cacao-2.0"};
constexpr std::string_view kStepTypes[] = {
    "start",    "end",          "action",          "playbook-action",
    "parallel", "if-condition", "while-condition", "switch-condition"};
constexpr std::string_view kMarkingTypes[] = {"marking-statement", "marking-tlp", "marking-iep"};
constexpr std::string_view kTlpLevels[] = {"TLP:RED", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:GREEN",
                                           "TLP:CLEAR"};
constexpr std::string_view kJss[] = {"jss"};
constexpr std::string_view kExtensionDefinition[] = {"extension-definition"};

constexpr Keyed kExtensionKeys[] = {{"extension-definition", nullptr}};

constexpr Property kReferenceRows[] = {{.name = "name", .required = true},
                                       {.name = "description"},
                                       {.name = "source"},
                                       {.name = "url"},
                                       {.name = "external_id"},
                                       {.name = "reference_id"}};
constexpr Shape kReference = {kReferenceRows};

constexpr Property kVariableRows[] = {{.name = "type", .required = true},
                                      {.name = "description"},
                                      {.name = "value", .sort = Sort::kTextOrNull},
                                      {.name = "constant", .sort = Sort::kBoolean},
                                      {.name = "external", .sort = Sort::kBoolean}};
constexpr Shape kVariable = {kVariableRows};
constexpr Keyed kVariableKeys[] = {{"__", &kVariable}};

constexpr Property kCommandRows[] = {
    {.name = "type", .required = true},
    {.name = "description"},
    {.name = "version"},
    {.name = "playbook_activity"},
    {.name = "external_references", .sort = Sort::kObjects, .shape = &kReference}};
constexpr Shape kCommand = {kCommandRows};
constexpr Property kPlainRows[] = {{.name = "command"}, {.name = "command_b64"}};
constexpr Shape kPlainCommand = {kPlainRows};
constexpr Property kEncodedRows[] = {{.name = "command_b64", .required = true}};
constexpr Shape kEncodedCommand = {kEncodedRows};
constexpr Property kHttpRows[] = {{.name = "command", .required = true},
                                  {.name = "headers", .sort = Sort::kLists},
                                  {.name = "content"},
                                  {.name = "content_b64"}};
constexpr Shape kHttpCommand = {kHttpRows};
constexpr Property kOpenc2Rows[] = {{.name = "command", .required = true},
                                    {.name = "headers", .sort = Sort::kLists},
                                    {.name = "content_b64", .required = true}};
constexpr Shape kOpenc2Command = {kOpenc2Rows};
constexpr Keyed kCommandTypes[] = {
    {"manual", &kPlainCommand},      {"bash", &kPlainCommand},
    {"caldera-cmd", &kPlainCommand}, {"powershell", &kPlainCommand},
    {"ssh", &kPlainCommand},         {"elastic", &kEncodedCommand},
    {"jupyter", &kEncodedCommand},   {"kestrel", &kEncodedCommand},
    {"sigma", &kEncodedCommand},     {"yara", &kEncodedCommand},
    {"http-api", &kHttpCommand},     {"openc2-http", &kOpenc2Command}};

constexpr Property kStepRows[] = {
    {.name = "type", .required = true, .values = kStepTypes},
    {.name = "name"},
    {.name = "description"},
    {.name = "external_references", .sort = Sort::kObjects, .items_min = 1, .shape = &kReference},
    {.name = "delay", .sort = Sort::kInteger, .low = 1},
    {.name = "timeout", .sort = Sort::kInteger},
    {.name = "step_variables", .sort = Sort::kMap, .keyed = kVariableKeys},
    {.name = "owner", .sort = Sort::kIdentifier},
    {.name = "on_completion", .sort = Sort::kIdentifier},
    {.name = "on_success", .sort = Sort::kIdentifier},
    {.name = "on_failure", .sort = Sort::kIdentifier},
    {.name = "step_extensions", .sort = Sort::kMap, .items_min = 1, .keyed = kExtensionKeys}};
constexpr Shape kStep = {kStepRows};
constexpr Property kActionRows[] = {{.name = "commands",
                                     .sort = Sort::kObjects,
                                     .required = true,
                                     .items_min = 1,
                                     .shape = &kCommand,
                                     .keyed = kCommandTypes,
                                     .by_type = true},
                                    {.name = "agent", .sort = Sort::kIdentifier, .required = true},
                                    {.name = "targets", .sort = Sort::kIdentifiers, .items_min = 1},
                                    {.name = "in_args", .sort = Sort::kTexts, .items_min = 1},
                                    {.name = "out_args", .sort = Sort::kTexts, .items_min = 1}};
constexpr Shape kAction = {kActionRows, &kStep};
constexpr Property kPlaybookActionRows[] = {
    {.name = "playbook_id", .sort = Sort::kIdentifier, .required = true},
    {.name = "playbook_version", .sort = Sort::kTimestamp},
    {.name = "in_args", .sort = Sort::kTexts, .items_min = 1},
    {.name = "out_args", .sort = Sort::kTexts, .items_min = 1}};
constexpr Shape kPlaybookAction = {kPlaybookActionRows, &kStep};
constexpr Property kParallelRows[] = {
    {.name = "next_steps", .sort = Sort::kIdentifiers, .required = true, .items_min = 2}};
constexpr Shape kParallel = {kParallelRows, &kStep};
constexpr Property kIfRows[] = {{.name = "condition", .required = true},
                                {.name = "on_true", .sort = Sort::kIdentifier, .required = true},
                                {.name = "on_false", .sort = Sort::kIdentifier}};
constexpr Shape kIf = {kIfRows, &kStep};
constexpr Property kWhileRows[] = {
    {.name = "condition", .required = true},
    {.name = "on_true", .sort = Sort::kIdentifier, .required = true}};
constexpr Shape kWhile = {kWhileRows, &kStep};
constexpr Property kSwitchRows[] = {{.name = "switch", .required = true},
                                    {.name = "cases", .sort = Sort::kCases, .required = true}};
constexpr Shape kSwitch = {kSwitchRows, &kStep};
constexpr Keyed kStepKeys[] = {{"start", &kStep},
                               {"end", &kStep},
                               {"action", &kAction},
                               {"playbook-action", &kPlaybookAction},
                               {"parallel", &kParallel},
                               {"if-condition", &kIf},
                               {"while-condition", &kWhile},
                               {"switch-condition", &kSwitch}};

constexpr Property kAgentRows[] = {{.name = "type", .required = true},
                                   {.name = "name", .required = true},
                                   {.name = "description"},
                                   {.name = "location", .sort = Sort::kAnyObject},
                                   {.name = "agent_target_extensions",
                                    .sort = Sort::kMap,
                                    .items_min = 1,
                                    .keyed = kExtensionKeys}};
constexpr Shape kAgent = {kAgentRows};
constexpr Property kContactRows[] = {{.name = "contact", .sort = Sort::kAnyObject}};
constexpr Shape kContact = {kContactRows, &kAgent};
constexpr Property kLocationRows[] = {{.name = "logical", .sort = Sort::kTexts, .items_min = 1}};
constexpr Shape kLocation = {kLocationRows, &kAgent};
constexpr Property kSectorRows[] = {{.name = "sector", .required = true}};
constexpr Shape kSector = {kSectorRows, &kAgent};
constexpr Property kCategoryRows[] = {
    {.name = "category", .sort = Sort::kTexts, .required = true, .items_min = 1}};
constexpr Shape kCategory = {kCategoryRows, &kAgent};
constexpr Property kAddressRows[] = {{.name = "address", .sort = Sort::kLists, .required = true},
                                     {.name = "port"},
                                     {.name = "authentication_info", .sort = Sort::kIdentifier},
                                     {.name = "category", .sort = Sort::kTexts, .items_min = 1}};
constexpr Shape kAddress = {kAddressRows, &kAgent};
constexpr Keyed kAgentKeys[] = {{"group", &kContact},        {"individual", &kContact},
                                {"organization", &kContact}, {"location", &kLocation},
                                {"sector", &kSector},        {"security-category", &kCategory},
                                {"http-api", &kAddress},     {"linux", &kAddress},
                                {"net-address", &kAddress},  {"ssh", &kAddress}};

constexpr Property kAuthenticationRows[] = {{.name = "type", .required = true},
                                            {.name = "name"},
                                            {.name = "description"},
                                            {.name = "user_id"},
                                            {.name = "username"},
                                            {.name = "password"},
                                            {.name = "kms", .sort = Sort::kBoolean},
                                            {.name = "kms_key_identifier"}};
constexpr Shape kAuthentication = {kAuthenticationRows};
constexpr Property kOauthRows[] = {{.name = "oauth_header", .required = true},
                                   {.name = "token", .required = true}};
constexpr Shape kOauth = {kOauthRows, &kAuthentication};
constexpr Keyed kAuthenticationKeys[] = {
    {"http-basic", &kAuthentication}, {"user-auth", &kAuthentication}, {"oauth2", &kOauth}};

constexpr Property kMarkingRows[] = {
    {.name = "type", .required = true, .values = kMarkingTypes},
    {.name = "id", .sort = Sort::kIdentifier, .required = true},
    {.name = "name"},
    {.name = "description"},
    {.name = "created_by", .sort = Sort::kIdentifier, .required = true},
    {.name = "created", .sort = Sort::kTimestamp, .required = true},
    {.name = "revoked", .sort = Sort::kBoolean},
    {.name = "valid_from", .sort = Sort::kTimestamp},
    {.name = "valid_until", .sort = Sort::kTimestamp},
    {.name = "labels", .sort = Sort::kTexts, .items_min = 1}};
constexpr Shape kMarking = {kMarkingRows};
constexpr Property kTlpRows[] = {{.name = "tlpv2_level", .required = true, .values = kTlpLevels}};
constexpr Shape kTlp = {kTlpRows, &kMarking};
constexpr Property kStatementRows[] = {{.name = "statement", .required = true}};
constexpr Shape kStatement = {kStatementRows, &kMarking};
constexpr Property kIepRows[] = {
    {.name = "name", .required = true},
    {.name = "description", .required = true},
    {.name = "tlp", .required = true},
    {.name = "iep_version", .sort = Sort::kInteger, .required = true},
    {.name = "start_date", .sort = Sort::kTimestamp, .required = true},
    {.name = "end_date", .sort = Sort::kTextOrNull, .required = true},
    {.name = "encrypt_in_transit", .required = true},
    {.name = "permitted_actions", .required = true},
    {.name = "affected_party_notifications", .required = true},
    {.name = "attribution", .required = true},
    {.name = "unmodified_resale", .required = true},
    {.name = "external_references", .sort = Sort::kTexts, .required = true}};
constexpr Shape kIep = {kIepRows, &kMarking};
constexpr Keyed kMarkingKeys[] = {
    {"marking-tlp", &kTlp}, {"marking-statement", &kStatement}, {"marking-iep", &kIep}};

constexpr Property kExtensionRows[] = {
    {.name = "type", .required = true, .values = kExtensionDefinition},
    {.name = "name", .required = true},
    {.name = "description"},
    {.name = "created_by", .sort = Sort::kIdentifier, .required = true},
    {.name = "schema", .required = true},
    {.name = "version", .required = true},
    {.name = "external_references", .sort = Sort::kObjects, .shape = &kReference}};
constexpr Shape kExtension = {kExtensionRows};
constexpr Keyed kExtensionDefinitionKeys[] = {{"extension-definition", &kExtension}};

constexpr std::string_view kKeyChoice[] = {"public_key", "public_cert_chain", "cert_url",
                                           "thumbprint"};
constexpr Property kSignatureRows[] = {
    {.name = "type", .required = true, .values = kJss},
    {.name = "id", .sort = Sort::kIdentifier, .required = true},
    {.name = "created_by", .sort = Sort::kIdentifier},
    {.name = "created", .sort = Sort::kTimestamp, .required = true},
    {.name = "modified", .sort = Sort::kTimestamp, .required = true},
    {.name = "revoked", .sort = Sort::kBoolean},
    {.name = "signee", .required = true},
    {.name = "valid_from", .sort = Sort::kTimestamp},
    {.name = "valid_until", .sort = Sort::kTimestamp},
    {.name = "related_to", .sort = Sort::kIdentifier, .required = true},
    {.name = "related_version", .sort = Sort::kTimestamp, .required = true},
    {.name = "hash_algorithm", .required = true},
    {.name = "algorithm", .required = true},
    {.name = "public_key"},
    {.name = "public_cert_chain", .sort = Sort::kTexts, .items_min = 1},
    {.name = "cert_url"},
    {.name = "thumbprint"},
    {.name = "value", .required = true},
    {.name = "signature", .sort = Sort::kAnyObject}};
constexpr Shape kSignature = {kSignatureRows, nullptr, kKeyChoice};

constexpr Property kSummaryRows[] = {{.name = "manual_playbook", .sort = Sort::kBoolean},
                                     {.name = "external_playbooks", .sort = Sort::kBoolean},
                                     {.name = "parallel_processing", .sort = Sort::kBoolean},
                                     {.name = "if_logic", .sort = Sort::kBoolean},
                                     {.name = "while_logic", .sort = Sort::kBoolean},
                                     {.name = "switch_logic", .sort = Sort::kBoolean},
                                     {.name = "temporal_logic", .sort = Sort::kBoolean},
                                     {.name = "data_markings", .sort = Sort::kBoolean},
                                     {.name = "digital_signatures", .sort = Sort::kBoolean},
                                     {.name = "countersigned_signatures", .sort = Sort::kBoolean},
                                     {.name = "extensions", .sort = Sort::kBoolean}};
constexpr Shape kSummary = {kSummaryRows};

constexpr Property kPlaybookRows[] = {
    {.name = "type", .required = true, .values = kTypePlaybook},
    {.name = "spec_version", .required = true, .values = kVersion},
    {.name = "id", .sort = Sort::kIdentifier, .required = true},
    {.name = "name", .required = true},
    {.name = "description"},
    {.name = "playbook_types", .sort = Sort::kTexts},
    {.name = "playbook_activities", .sort = Sort::kTexts, .items_min = 1},
    {.name = "playbook_processing_summary", .sort = Sort::kObject, .shape = &kSummary},
    {.name = "created_by", .sort = Sort::kIdentifier, .required = true},
    {.name = "created", .sort = Sort::kTimestamp, .required = true},
    {.name = "modified", .sort = Sort::kTimestamp, .required = true},
    {.name = "revoked", .sort = Sort::kBoolean},
    {.name = "valid_from", .sort = Sort::kTimestamp},
    {.name = "valid_until", .sort = Sort::kTimestamp},
    {.name = "derived_from", .sort = Sort::kIdentifiers, .items_min = 1},
    {.name = "related_to", .sort = Sort::kIdentifiers, .items_min = 1},
    {.name = "priority", .sort = Sort::kInteger, .low = 0, .high = 100},
    {.name = "severity", .sort = Sort::kInteger, .low = 0, .high = 100},
    {.name = "impact", .sort = Sort::kInteger, .low = 0, .high = 100},
    {.name = "industry_sectors", .sort = Sort::kTexts, .items_min = 1},
    {.name = "labels", .sort = Sort::kTexts, .items_min = 1},
    {.name = "external_references", .sort = Sort::kObjects, .items_min = 1, .shape = &kReference},
    {.name = "markings", .sort = Sort::kIdentifiers, .items_min = 1},
    {.name = "playbook_variables", .sort = Sort::kMap, .keyed = kVariableKeys},
    {.name = "workflow_start", .sort = Sort::kIdentifier, .required = true},
    {.name = "workflow_exception", .sort = Sort::kIdentifier},
    {.name = "workflow", .sort = Sort::kMap, .required = true, .keyed = kStepKeys},
    {.name = "playbook_extensions", .sort = Sort::kMap, .items_min = 1, .keyed = kExtensionKeys},
    {.name = "authentication_info_definitions",
     .sort = Sort::kMap,
     .items_min = 1,
     .keyed = kAuthenticationKeys},
    {.name = "agent_definitions", .sort = Sort::kMap, .items_min = 1, .keyed = kAgentKeys},
    {.name = "target_definitions", .sort = Sort::kMap, .items_min = 1, .keyed = kAgentKeys},
    {.name = "extension_definitions", .sort = Sort::kMap, .keyed = kExtensionDefinitionKeys},
    {.name = "data_marking_definitions", .sort = Sort::kMap, .keyed = kMarkingKeys},
    {.name = "signatures", .sort = Sort::kObjects, .items_min = 1, .shape = &kSignature}};
constexpr Shape kPlaybook = {kPlaybookRows};

}  // namespace

const Shape& playbook_shape() { return kPlaybook; }

}  // namespace coff::playbook
