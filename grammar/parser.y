/* parser.y: tokens to the tree. Productions call the constructors of parse/build.h and nothing else.
 *
 * One production per form of statement; the classifier lets each keyword through only where its block allows it, so
 * that one kind of body serves all blocks. Error productions keep what is known (a name, a clause word), so that what
 * refers to it later says nothing more; the feeder (parse/feed.h) goes to the end of the broken statement. */

%require "3.8"
%code requires {
#include "ast/ast.h"
#include "parse/token.h"
struct parser;
}
%code {
#include "parse/build.h"
#include "parse/feed.h"
#include "parse/syntax_error.h"
#undef yylex
#define yylex feed_next
static void yyerror(const span *at, struct parser *p, const char *message);
}

%define api.pure full
%define api.prefix {plan_parse_}
%define api.token.prefix {TOKEN_}
%define api.location.type {span}
%define parse.error custom
%define parse.lac full
%define lr.default-reduction accepting
%define api.value.type union
%locations
%param {struct parser *p}
%expect 0

%code provides {
#define YYLLOC_DEFAULT(current, rhs, n) ((current) = build_span((n) ? &YYRHSLOC(rhs, 1) : &YYRHSLOC(rhs, 0), n))
}

/* Seen by the lexer, the classifier and the formatter; never by the grammar. */
%token NEWLINE COMMENT OPEN_STRING QUOTED SEMICOLON FOREIGN FOREIGN_SIGN SKIPPED BAD

%token START_FILE START_EXPRESSION
%token END "the end of the line"
%token JOIN "a further word"
%token <const token *> NAME "a name" NUMBER "a number" STRING "a string" BAD_VALUE
%token <const token *> TENSOR_NAME "a tensor's name" WORD "a clause" CONNECTIVE UNIT_WORD "a kind of device" ATTRIBUTE "an attribute"
%token USE "use" IMPORT "import" MODEL "model" LAYER "layer" OPTIMIZER "optimizer" SCHEDULE "schedule"
%token TRAIN "train" CLUSTER "cluster" PLAN "plan" TOPOLOGY "topology" WEIGHTS "weights"
%token HEAD_FOR "for" HEAD_ON "on" UPDATES "updates" BY "by"
%token PARAM "param" STATE "state" INPUT "input" METRIC "metric" WHEN "if " RETURN "return" REQUIRE "require" INIT "init" BELOW "below"
%token REPEAT "repeat" FOR "for " IN "in" SEND "send" FROM "from" TO "to" LINK "link" SWITCH "switch"
%token IF "if" THEN "then" ELSE "else" OVER "over"
%token LEFT "(" RIGHT ")" LEFT_SQUARE "[" RIGHT_SQUARE "]" LEFT_BRACE "{" RIGHT_BRACE "}"
%token LEFT_EDGES "{ " RIGHT_EDGES "} "
%token COMMA "," COLON ":" DOT "." IS "="
%token <const token *> OR "or" AND "and" NOT "not" EQUAL "==" UNEQUAL "!=" LESS "<" LESS_EQUAL "<=" GREATER ">"
%token <const token *> GREATER_EQUAL ">=" TO_LAST ".." TO_BEFORE "..<" PLUS "+" MINUS "-" TIMES "*" OVER_SIGN "/"
%token <const token *> WHOLE "//" PERCENT "%" POWER "^" ARROW "->" BOTH_WAYS "<->"

%precedence ELSE
%left OR
%left AND
%precedence NOT
%nonassoc EQUAL UNEQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL
%nonassoc TO_LAST TO_BEFORE
%left PLUS MINUS
%left TIMES OVER_SIGN WHOLE PERCENT
%precedence SIGN
%right POWER

%type <ast_node *> item names parameters parameter_list parameter type dims dim_list dim body statements
%type <ast_node *> statement value else indices index phrases phrase terms term part attributes attribute
%type <ast_node *> ends end_list quantities edges edge_list edge edge_end expression path_expression primary arguments
%type <ast_node *> argument_list argument over expressions count name of_model rest_of_body type_mark init below result when for_body
%type <const token *> edge_sign times

%start start

%%

start:
    START_FILE
  | START_FILE items
  | START_EXPRESSION expression END          { build_root(p, $2); }
  | START_EXPRESSION error END               { }
  ;

/* Not empty, here and in statements: where an error is the first thing, the parser must be able to shift it. */
items:
    item END                                 { build_item(p, $1); }
  | error END                                { build_item(p, build_error(p, @1)); yyerrok; }
  | items item END                           { build_item(p, $2); }
  | items error END                          { build_item(p, build_error(p, @2)); yyerrok; }
  ;

item:
    USE names                                { $$ = build_kind(p, AST_USE, @$, $2); }
  | IMPORT STRING                            { $$ = build_node(p, AST_IMPORT, @$, build_string(p, $2), NULL); }
  | MODEL NAME parameters body               { $$ = build_block(p, AST_MODEL, @$, $2, $3, NULL, $4); }
  | MODEL NAME error rest_of_body            { $$ = build_broken(p, AST_MODEL, @$, $2, $4); yyerrok; }
  | MODEL error rest_of_body              { $$ = build_broken(p, AST_MODEL, @$, NULL, $3); yyerrok; }
  | LAYER NAME parameters result body        { $$ = build_block(p, AST_LAYER, @$, $2, $3, $4, $5); }
  | LAYER NAME error rest_of_body            { $$ = build_broken(p, AST_LAYER, @$, $2, $4); yyerrok; }
  | LAYER error rest_of_body              { $$ = build_broken(p, AST_LAYER, @$, NULL, $3); yyerrok; }
  | OPTIMIZER NAME parameters UPDATES name BY name body
        { $$ = build_block(p, AST_OPTIMIZER, @$, $2, $3, build_node(p, AST_UPDATES, build_join(@4, @7), $5, $7), $8); }
  | OPTIMIZER NAME error rest_of_body        { $$ = build_broken(p, AST_OPTIMIZER, @$, $2, $4); yyerrok; }
  | OPTIMIZER error rest_of_body          { $$ = build_broken(p, AST_OPTIMIZER, @$, NULL, $3); yyerrok; }
  | SCHEDULE NAME parameters body            { $$ = build_block(p, AST_SCHEDULE, @$, $2, $3, NULL, $4); }
  | SCHEDULE NAME error rest_of_body         { $$ = build_broken(p, AST_SCHEDULE, @$, $2, $4); yyerrok; }
  | SCHEDULE error rest_of_body           { $$ = build_broken(p, AST_SCHEDULE, @$, NULL, $3); yyerrok; }
  | TRAIN NAME HEAD_FOR of_model body        { $$ = build_named(p, AST_TRAIN, @$, $2, $4, $5, NULL); }
  | TRAIN NAME error rest_of_body            { $$ = build_broken(p, AST_TRAIN, @$, $2, $4); yyerrok; }
  | TRAIN error rest_of_body              { $$ = build_broken(p, AST_TRAIN, @$, NULL, $3); yyerrok; }
  | CLUSTER NAME body                        { $$ = build_named(p, AST_CLUSTER, @$, $2, $3, NULL, NULL); }
  | CLUSTER NAME error rest_of_body          { $$ = build_broken(p, AST_CLUSTER, @$, $2, $4); yyerrok; }
  | CLUSTER error rest_of_body            { $$ = build_broken(p, AST_CLUSTER, @$, NULL, $3); yyerrok; }
  | PLAN NAME HEAD_FOR name HEAD_ON name body { $$ = build_named(p, AST_PLAN, @$, $2, $4, $6, $7); }
  | PLAN NAME error rest_of_body             { $$ = build_broken(p, AST_PLAN, @$, $2, $4); yyerrok; }
  | PLAN error rest_of_body               { $$ = build_broken(p, AST_PLAN, @$, NULL, $3); yyerrok; }
  | TOPOLOGY NAME parameters body            { $$ = build_block(p, AST_TOPOLOGY, @$, $2, $3, NULL, $4); }
  | TOPOLOGY NAME error rest_of_body         { $$ = build_broken(p, AST_TOPOLOGY, @$, $2, $4); yyerrok; }
  | TOPOLOGY error rest_of_body           { $$ = build_broken(p, AST_TOPOLOGY, @$, NULL, $3); yyerrok; }
  | WEIGHTS NAME body                        { $$ = build_named(p, AST_WEIGHTS, @$, $2, $3, NULL, NULL); }
  | WEIGHTS NAME error rest_of_body          { $$ = build_broken(p, AST_WEIGHTS, @$, $2, $4); yyerrok; }
  | WEIGHTS error rest_of_body            { $$ = build_broken(p, AST_WEIGHTS, @$, NULL, $3); yyerrok; }
  ;

/* Behind an error in a head: the body, if there is one, is read all the same. */
rest_of_body:
    %empty                                   { $$ = NULL; }
  | body
  ;

of_model:
    name
  | name LEFT arguments RIGHT                { $$ = build_call(p, @$, $1, $3); }
  ;

names:
    name                                     { $$ = build_list(p, NULL, $1); }
  | names COMMA name                         { $$ = build_list(p, $1, $3); }
  ;

name:
    NAME                                     { $$ = build_name(p, $1); }
  ;

parameters:
    %empty                                   { $$ = NULL; }
  | LEFT RIGHT                               { $$ = NULL; }
  | LEFT parameter_list RIGHT                { $$ = $2; }
  | LEFT parameter_list COMMA RIGHT          { $$ = $2; }
  ;

parameter_list:
    parameter                                { $$ = build_list(p, NULL, $1); }
  | parameter_list COMMA parameter           { $$ = build_list(p, $1, $3); }
  ;

parameter:
    NAME                                     { $$ = build_named(p, AST_PARAMETER, @$, $1, NULL, NULL, NULL); }
  | NAME COLON type                          { $$ = build_named(p, AST_PARAMETER, @$, $1, $3, NULL, NULL); }
  | NAME IS expression
        { $$ = build_named(p, AST_PARAMETER, @$, $1, build_node(p, AST_DEFAULT, @3, $3, NULL), NULL, NULL); }
  | NAME COLON type IS expression
        { $$ = build_named(p, AST_PARAMETER, @$, $1, $3, build_node(p, AST_DEFAULT, @5, $5, NULL), NULL); }
  ;

result:
    %empty                                   { $$ = NULL; }
  | ARROW type                               { $$ = build_node(p, AST_RESULT, @$, $2, NULL); }
  ;

type:
    NAME                                     { $$ = build_named(p, AST_TYPE, @$, $1, NULL, NULL, NULL); }
  | NAME dims                                { $$ = build_named(p, AST_TYPE, @$, $1, $2, NULL, NULL); }
  | dims                                     { $$ = build_node(p, AST_TYPE, @$, $1, NULL); }
  ;

dims:
    LEFT_SQUARE RIGHT_SQUARE                 { $$ = build_kind(p, AST_DIMS, @$, NULL); }
  | LEFT_SQUARE dim_list RIGHT_SQUARE        { $$ = build_kind(p, AST_DIMS, @$, $2); }
  | LEFT_SQUARE dim_list COMMA RIGHT_SQUARE  { $$ = build_kind(p, AST_DIMS, @$, $2); }
  ;

dim_list:
    dim                                      { $$ = build_list(p, NULL, $1); }
  | dim_list COMMA dim                       { $$ = build_list(p, $1, $3); }
  ;

dim:
    expression
  | TO_LAST                                  { $$ = build_node(p, AST_REST, @$, NULL, NULL); }
  | NAME IS expression                       { $$ = build_named(p, AST_NAMED, @$, $1, $3, NULL, NULL); }
  ;

body:
    LEFT_BRACE RIGHT_BRACE                   { $$ = build_kind(p, AST_BODY, @$, NULL); }
  | LEFT_BRACE statements RIGHT_BRACE        { $$ = build_kind(p, AST_BODY, @$, $2); }
  ;

statements:
    statement END                            { $$ = build_statement(p, NULL, $1); }
  | error END                                { $$ = build_list(p, NULL, build_error(p, @1)); yyerrok; }
  | statements statement END                 { $$ = build_statement(p, $1, $2); }
  | statements error END                     { $$ = build_list(p, $1, build_error(p, @2)); yyerrok; }
  ;

statement:
    NAME IS value                            { $$ = build_named(p, AST_ASSIGN, @$, $1, $3, NULL, NULL); }
  | NAME IS error                            { $$ = build_broken(p, AST_ASSIGN, @$, $1, NULL); yyerrok; }
  | PARAM NAME type_mark init                { $$ = build_named(p, AST_PARAM, @$, $2, $3, $4, NULL); }
  | PARAM NAME error                         { $$ = build_broken(p, AST_PARAM, @$, $2, NULL); yyerrok; }
  | STATE NAME type_mark init                { $$ = build_named(p, AST_STATE, @$, $2, $3, $4, NULL); }
  | STATE NAME error                         { $$ = build_broken(p, AST_STATE, @$, $2, NULL); yyerrok; }
  | INPUT NAME COLON type below              { $$ = build_named(p, AST_INPUT, @$, $2, $4, $5, NULL); }
  | INPUT NAME error                         { $$ = build_broken(p, AST_INPUT, @$, $2, NULL); yyerrok; }
  | METRIC NAME IS expression                { $$ = build_named(p, AST_METRIC, @$, $2, $4, NULL, NULL); }
  | METRIC NAME error                        { $$ = build_broken(p, AST_METRIC, @$, $2, NULL); yyerrok; }
  | RETURN value                             { $$ = build_node(p, AST_RETURN, @$, $2, NULL); }
  | RETURN error                             { $$ = build_node(p, AST_RETURN, @$, build_error(p, @2), NULL); yyerrok; }
  | REQUIRE expression                       { $$ = build_node(p, AST_REQUIRE, @$, $2, NULL); }
  | REQUIRE error                            { $$ = build_broken(p, AST_REQUIRE, @$, NULL, NULL); yyerrok; }
  | when
  | FOR indices for_body                     { $$ = build_for(p, @$, $2, $3); }
  | FOR error rest_of_body                   { $$ = build_broken(p, AST_FOR, @$, NULL, $3); yyerrok; }
  | SEND expression FROM expression TO expression NAME
        { $$ = build_send(p, @$, $2, $4, $6, $7); }
  | TENSOR_NAME IS expression                { $$ = build_node(p, AST_TENSOR, @$, build_string(p, $1), $3); }
  | TENSOR_NAME error                        { $$ = build_broken(p, AST_TENSOR, @$, NULL, NULL); yyerrok; }
  | WORD phrases                             { $$ = build_clause(p, @$, $1, $2, NULL); }
  | WORD phrases body                        { $$ = build_clause(p, @$, $1, $2, $3); }
  | WORD                                     { $$ = build_clause(p, @$, $1, NULL, NULL); }
  | WORD body                                { $$ = build_clause(p, @$, $1, NULL, $2); }
  | WORD error                               { $$ = build_broken(p, AST_CLAUSE, @$, $1, NULL); yyerrok; }
  | UNIT_WORD NAME count                     { $$ = build_unit(p, @$, $1, $2, $3, NULL); }
  | UNIT_WORD NAME count body                { $$ = build_unit(p, @$, $1, $2, $3, $4); }
  | UNIT_WORD NAME error rest_of_body        { $$ = build_unit(p, @$, $1, $2, build_error(p, @3), $4); yyerrok; }
  | UNIT_WORD error rest_of_body             { $$ = build_broken(p, AST_UNIT, @$, NULL, $3); yyerrok; }
  | attributes                               { $$ = build_kind(p, AST_ATTRIBUTES, @$, $1); }
  | LINK ends COLON quantities               { $$ = build_link(p, @$, NULL, $2, $4, NULL); }
  | LINK ends COLON quantities edges         { $$ = build_link(p, @$, NULL, $2, $4, $5); }
  | LINK path_expression edge_sign path_expression COLON quantities
        { $$ = build_link(p, @$, $3, build_pair(p, $2, $4), $6, NULL); }
  | LINK error                               { $$ = build_broken(p, AST_LINK, @$, NULL, NULL); yyerrok; }
  | SWITCH NAME OVER ends COLON quantities   { $$ = build_switch(p, @$, $2, $4, $6); }
  | SWITCH error                             { $$ = build_broken(p, AST_SWITCH, @$, NULL, NULL); yyerrok; }
  | SWITCH NAME error                        { $$ = build_broken(p, AST_SWITCH, @$, $2, NULL); yyerrok; }
  ;

value:
    expression
  | REPEAT expression COLON expression       { $$ = build_node(p, AST_REPEAT, @$, $2, $4); }
  ;

type_mark:
    %empty                                   { $$ = NULL; }
  | COLON type                               { $$ = $2; }
  ;

init:
    %empty                                   { $$ = NULL; }
  | INIT expression                          { $$ = build_node(p, AST_INIT, @$, $2, NULL); }
  ;

below:
    %empty                                   { $$ = NULL; }
  | BELOW expression                         { $$ = build_node(p, AST_BELOW, @$, $2, NULL); }
  ;

when:
    WHEN expression body else                { $$ = build_if(p, @$, $2, $3, $4); }
  | WHEN error rest_of_body else             { $$ = build_if(p, @$, build_error(p, @2), $3, $4); yyerrok; }
  ;

else:
    %empty                                   { $$ = NULL; }
  | ELSE body                                { $$ = build_node(p, AST_ELSE, @$, $2, NULL); }
  | ELSE when                                { $$ = build_node(p, AST_ELSE, @$, $2, NULL); }
  ;

for_body:
    body
  | COLON statement                          { $$ = build_inline_body(p, $2); }
  ;

indices:
    index                                    { $$ = build_list(p, NULL, $1); }
  | indices COMMA index                      { $$ = build_list(p, $1, $3); }
  ;

index:
    NAME IN expression                       { $$ = build_named(p, AST_INDEX, @$, $1, $3, NULL, NULL); }
  ;

phrases:
    phrase                                   { $$ = build_list(p, NULL, $1); }
  | phrases COMMA phrase                     { $$ = build_list(p, $1, $3); }
  ;

phrase:
    terms                                    { $$ = build_kind(p, AST_PHRASE, @$, $1); }
  | part                                     { $$ = build_node(p, AST_PHRASE, @$, $1, NULL); }
  | phrase part                              { $$ = build_phrase(p, $1, $2); }
  ;

part:
    CONNECTIVE terms                         { $$ = build_part(p, AST_PART, @$, $1, $2); }
  ;

terms:
    term                                     { $$ = build_list(p, NULL, $1); }
  | terms JOIN term                          { $$ = build_list(p, $1, $3); }
  ;

term:
    expression
  | expression IS expression                 { $$ = build_setting(p, @$, $1, $3); }
  ;

count:
    %empty                                   { $$ = NULL; }
  | LEFT_SQUARE expression RIGHT_SQUARE      { $$ = build_node(p, AST_COUNT, @$, $2, NULL); }
  ;

attributes:
    attribute                                { $$ = build_list(p, NULL, $1); }
  | attributes COMMA attribute               { $$ = build_list(p, $1, $3); }
  ;

attribute:
    ATTRIBUTE terms                          { $$ = build_part(p, AST_ATTRIBUTE, @$, $1, $2); }
  ;

ends:
    end_list                                 { $$ = build_kind(p, AST_ENDS, @$, $1); }
  ;

end_list:
    path_expression                          { $$ = build_list(p, NULL, $1); }
  | end_list COMMA path_expression           { $$ = build_list(p, $1, $3); }
  ;

quantities:
    expressions                              { $$ = build_kind(p, AST_QUANTITIES, @$, $1); }
  ;

edges:
    LEFT_EDGES edge_list RIGHT_EDGES         { $$ = build_kind(p, AST_EDGES, @$, $2); }
  | LEFT_EDGES edge_list COMMA RIGHT_EDGES   { $$ = build_kind(p, AST_EDGES, @$, $2); }
  | LEFT_EDGES RIGHT_EDGES                   { $$ = build_kind(p, AST_EDGES, @$, NULL); }
  ;

edge_list:
    edge                                     { $$ = build_list(p, NULL, $1); }
  | edge_list COMMA edge                     { $$ = build_list(p, $1, $3); }
  ;

edge:
    edge_end MINUS edge_end times            { $$ = build_edge(p, @$, $2, $1, $3, $4); }
  | edge_end edge_sign edge_end times        { $$ = build_edge(p, @$, $2, $1, $3, $4); }
  ;

edge_end:
    NUMBER                                   { $$ = build_number(p, $1); }
  | BAD_VALUE                                { $$ = build_error(p, @$); }
  | name
  | name LEFT_SQUARE expression RIGHT_SQUARE { $$ = build_node(p, AST_AT, @$, $1, $3); }
  ;

edge_sign:
    ARROW
  | BOTH_WAYS
  ;

times:
    %empty                                   { $$ = NULL; }
  | NAME
  ;

expressions:
    expression                               { $$ = build_list(p, NULL, $1); }
  | expressions COMMA expression             { $$ = build_list(p, $1, $3); }
  ;

expression:
    path_expression
  | MINUS expression %prec SIGN              { $$ = build_node_unary(p, @$, $1, $2); }
  | NOT expression                           { $$ = build_node_unary(p, @$, $1, $2); }
  | expression OR expression                 { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression AND expression                { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression EQUAL expression              { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression UNEQUAL expression            { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression LESS expression               { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression LESS_EQUAL expression         { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression GREATER expression            { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression GREATER_EQUAL expression      { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression TO_LAST expression            { $$ = build_node_binary(p, AST_RANGE, $2, $1, $3); }
  | expression TO_BEFORE expression          { $$ = build_node_binary(p, AST_RANGE, $2, $1, $3); }
  | expression PLUS expression               { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression MINUS expression              { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression TIMES expression              { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression OVER_SIGN expression          { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression WHOLE expression              { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression PERCENT expression            { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | expression POWER expression              { $$ = build_node_binary(p, AST_BINARY, $2, $1, $3); }
  | IF expression THEN expression ELSE expression %prec ELSE
        { $$ = build_choice(p, @$, $2, $4, $6); }
  ;

path_expression:
    primary
  | path_expression DOT NAME                 { $$ = build_named(p, AST_MEMBER, @$, $3, $1, NULL, NULL); }
  | path_expression DOT TIMES                { $$ = build_named(p, AST_MEMBER, @$, $3, $1, NULL, NULL); }
  | path_expression LEFT_SQUARE expressions RIGHT_SQUARE { $$ = build_node_at(p, @$, $1, $3); }
  | path_expression LEFT arguments RIGHT     { $$ = build_call(p, @$, $1, $3); }
  ;

primary:
    name
  | NUMBER                                   { $$ = build_number(p, $1); }
  | STRING                                   { $$ = build_string(p, $1); }
  | BAD_VALUE                                { $$ = build_error(p, @$); }
  | TIMES                                    { $$ = build_node(p, AST_WILDCARD, @$, NULL, NULL); }
  | LEFT expression RIGHT                    { $$ = build_bracketed(p, @$, $2); }
  | LEFT RIGHT                               { $$ = build_kind(p, AST_TUPLE, @$, NULL); }
  | LEFT expression COMMA RIGHT              { $$ = build_node(p, AST_TUPLE, @$, $2, NULL); }
  | LEFT expression COMMA expressions RIGHT  { $$ = build_tuple(p, @$, $2, $4); }
  | LEFT_SQUARE RIGHT_SQUARE                 { $$ = build_kind(p, AST_LIST, @$, NULL); }
  | LEFT_SQUARE expressions RIGHT_SQUARE     { $$ = build_kind(p, AST_LIST, @$, $2); }
  ;

arguments:
    %empty                                   { $$ = NULL; }
  | argument_list
  | argument_list COMMA
  ;

argument_list:
    argument                                 { $$ = build_list(p, NULL, $1); }
  | argument_list COMMA argument             { $$ = build_list(p, $1, $3); }
  ;

argument:
    expression
  | NAME IS expression                       { $$ = build_named(p, AST_NAMED, @$, $1, $3, NULL, NULL); }
  | TO_LAST                                  { $$ = build_node(p, AST_REST, @$, NULL, NULL); }
  | expression OVER over                     { $$ = build_node(p, AST_OVER, @$, $1, $3); }
  ;

over:
    name
  | TO_LAST                                  { $$ = build_node(p, AST_REST, @$, NULL, NULL); }
  ;

%%

static int type_of(yysymbol_kind_t kind)
{
    int type = 0;
    while (YYTRANSLATE(type) != kind)
        type++;
    return type;
}

static int yyreport_syntax_error(const yypcontext_t *context, struct parser *p)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    int types[YYNTOKENS], count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
    for (int i = 0; i < count; i++)
        types[i] = type_of(kinds[i]);
    syntax_error(p, type_of(yypcontext_token(context)), *yypcontext_location(context), types, count);
    return 0;
}

/* Called only where the stack is full. */
static void yyerror(const span *at, struct parser *p, const char *message)
{
    (void)message;
    syntax_error_deep(p, *at);
}
