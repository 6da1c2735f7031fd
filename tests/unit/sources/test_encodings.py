"""Long texts in encodings that the corpus does not list are marked; those in listed ones stay certain."""

import pytest

from scripts.sources.decode import decode
from scripts.workflow.validation import read_yaml
from tests.support.compiling import ROOT

ENCODINGS = read_yaml(ROOT / "config/config.yaml")["corpus"]["encodings"]
RUSSIAN = (
    "Программа читает массив целых чисел и сортирует его методом пузырька. Если введено неверное значение, "
    "выводится сообщение об ошибке и программа завершает работу."
)
JAPANESE = (
    "整数の配列を読み込み、バブルソートで並べ替えるプログラムです。不正な値が入力された場合は"
    "エラーメッセージを表示して終了します。出力は昇順に並べた配列と合計と平均です。"
)
KOREAN = (
    "정수 배열을 읽어서 버블 정렬로 정렬하는 프로그램입니다. 잘못된 값이 입력되면 오류 메시지를 표시하고 종료합니다. "
    "출력: 오름차순으로 정렬된 배열과 합계와 평균입니다."
)
CHINESE = (
    "程序读取整数数组并用冒泡排序法进行排序。如果输入了无效的值，则显示错误信息并结束程序。"
    "输出：按升序排列的数组、总和以及平均值。"
)
TAIWANESE = (
    "程式讀取整數陣列並用氣泡排序法進行排序。如果輸入了無效的值，則顯示錯誤訊息並結束程式。"
    "輸出：按遞增排列的陣列、總和以及平均值。"
)
UNLISTED = {
    "euc_jp": JAPANESE,
    "cp1253": "Το πρόγραμμα διαβάζει έναν πίνακα ακεραίων και τον ταξινομεί με τη μέθοδο της φυσαλίδας. "
    "Εκτυπώνει το άθροισμα και τον μέσο όρο των στοιχείων.",
    "cp1254": "Program kullanıcıdan tamsayı dizisi okur ve kabarcık sıralaması ile sıralar. Geçersiz değer "
    "girilirse hata mesajı gösterilir ve program sonlandırılır. Çıktı: sıralanmış dizi, toplam ve ortalama değer. "
    "Yazılımın diğer bölümleri aynı işi başka yöntemlerle yapıyor, sonuçları karşılaştırıyor.",
    "cp1255": "התוכנית קוראת מערך של מספרים שלמים וממיינת אותו בשיטת הבועות ומדפיסה את הסכום ואת הממוצע",
    "cp1250": "Program načte pole celých čísel a seřadí ho metodou bublinkového řazení. Pokud je zadána neplatná "
    "hodnota, vypíše se chybová zpráva a program skončí. Výstup: seřazené pole, součet a průměr všech prvků.",
    "iso8859_5": RUSSIAN,
}


def program(comment):
    """A program with a comment."""
    return f"/*\n{comment}\n*/\n#include <stdio.h>\nint main(void) {{ int i = 0; return i; }}\n"


@pytest.mark.parametrize("encoding", UNLISTED)
def test_a_long_text_in_an_encoding_that_is_not_listed_is_marked_or_rejected(encoding):
    decoded = decode(program(UNLISTED[encoding]).encode(encoding), ENCODINGS)
    assert decoded.uncertain or decoded.rejected


LISTED = {"cp1251": RUSSIAN, "koi8_r": RUSSIAN, "shift_jis": JAPANESE, "euc_kr": KOREAN, "gb18030": CHINESE}


@pytest.mark.parametrize("encoding", [*LISTED, "big5"])
def test_a_long_text_in_a_listed_encoding_is_certain(encoding):
    text = program(LISTED.get(encoding, TAIWANESE))
    decoded = decode(text.encode(encoding), ENCODINGS)
    assert (decoded.text, decoded.uncertain) == (text, False)


def test_a_word_that_is_repeated_is_no_more_evidence_than_the_word():
    text = program("сортировка пузырьком " * 6)
    decoded = decode(text.encode("koi8_r"), ENCODINGS)
    assert decoded.text == text or decoded.uncertain


CUT = [b"\xe4\xb8", b"\xf0\x9f", b"\xf0\x9f\x98"]


@pytest.mark.parametrize("cut", CUT)
@pytest.mark.parametrize("text", ["été où garçon", "Größe für Übung", "שלום", "şğıİ", "中文", "Привет"])
def test_a_cut_character_does_not_make_utf8_another_encoding(text, cut):
    for before, after in (("// ", "\n"), (f"// {text} ", "\n"), (f"// {text}\n", "")):
        data = before.encode() + cut + f"{after}int x; // {text}\n".encode()
        decoded = decode(data, ENCODINGS)
        assert (decoded.encoding, decoded.rejected, decoded.bad_bytes) == ("utf-8", None, len(cut))
        assert decoded.text == f"{before}�{after}int x; // {text}\n"


def test_a_replacement_character_in_a_text_of_utf8_is_no_bad_byte():
    data = "// ��� naïve café\n".encode() + b"\xff\n"
    decoded = decode(data, ENCODINGS)
    assert (decoded.encoding, decoded.bad_bytes) == ("utf-8", 1)


@pytest.mark.parametrize("word", ["я", "я я", "пр", "中"])
@pytest.mark.parametrize("bad", [b"\xf0\x9f\x98 ", b'\xe4\xb8"', b"\xff", b"caf\xe9"])
def test_a_short_text_that_is_partly_utf8_is_marked_if_it_is_read_in_another_encoding(word, bad):
    decoded = decode(f"// {word} \nint main(void) {{ }} // ".encode() + bad, ENCODINGS)
    assert decoded.encoding == "utf-8" or decoded.uncertain or decoded.rejected


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("gb18030", "你好世界"), ("tis_620", "สวัสดี"), ("shift_jis", "こんにちは"), ("euc_kr", "안녕")],
)
@pytest.mark.parametrize("times", [8, 12, 16, 40])
def test_a_word_that_is_repeated_without_blanks_is_no_more_evidence_either(encoding, word, times):
    text = f'int main(void) {{ puts("{word * times}"); return 0; }}\n'
    decoded = decode(text.encode(encoding), ENCODINGS)
    assert decoded.text == text or decoded.uncertain or decoded.rejected


BAD = [b"na\xefve", b"caf\xe9\n", b"20\xb0C", b"don\x92t", b"\x93x\x94", b"\xff", b"\xa9 2009", b"\xe4\xb8 "]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("word", ["café", "über", "Größe", "señor", "Dvořák"])
def test_one_word_with_a_marked_letter_makes_a_text_with_a_bad_byte_utf8(word, bad):
    data = f"// {word} ".encode() + b'\nint main(void) { puts("' + bad + b'"); return 0; }\n'
    decoded = decode(data, ENCODINGS)
    assert decoded.encoding == "utf-8" and decoded.bad_bytes
    assert word in decoded.text
